"""The register and the schema name the same tables and columns."""

from pathlib import Path

from pamosnik.privacy.subject import REGISTER, About
from pamosnik.store.database import open_database

_OURS = "type='table' AND name NOT LIKE 'sqlite_%' AND name<>'_sqlite_migrations'"


def _schema(path: Path) -> dict[str, set[str]]:
    with open_database(path / "test.db", migrate=True) as database:
        conn = database.connection
        tables = [name for (name,) in conn.execute(f"SELECT name FROM sqlite_master WHERE {_OURS}")]
        return {name: {row[1] for row in conn.execute(f"PRAGMA table_info({name})")} for name in tables}


def test_every_column_says_whose_data_it_holds(tmp_path: Path) -> None:
    assert {name: set(table.columns) for name, table in REGISTER.items()} == _schema(tmp_path)


def test_every_table_carries_the_account(tmp_path: Path) -> None:
    assert [name for name, columns in _schema(tmp_path).items() if "account_id" not in columns] == []


def test_a_table_about_people_says_how_to_find_them() -> None:
    for name, table in REGISTER.items():
        if About.PERSON in table.columns.values():
            assert table.person_key in table.columns, name


def test_the_privacy_page_names_every_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
    assert [name for name in REGISTER if f"`{name}`" not in page] == []
