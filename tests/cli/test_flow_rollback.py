"""`flows rollback`, and what `flows diff` and `flows apply` make of it afterwards."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pamosnik.flows.compile import version_of
from pamosnik.flows.load import load
from tests.cli.in_process import Command, home

__all__ = ["home"]
ROOT = Path(__file__).parents[2]

SHOP = """
version: 1
fields: { day: text }
facts: { street: "Rose Street 5" }
flows:
  price:
    title: Prices
    when: [{ dm: price }]
    do: [{ send: "It costs 5." }]
  visit:
    when: [{ dm: visit }]
    do: [{ ask: { question: "Which day?", save_as: day } }, { send: "See you at {street}." }]
"""
SIX = SHOP.replace("costs 5", "costs 6")
SEVEN = SHOP.replace("costs 5", "costs 7")


class Files:
    """One file that is written again and again."""

    def __init__(self, home: Command, file: Path) -> None:
        self.home, self.file = home, file

    def write(self, text: str) -> str:
        self.file.write_text(text, "utf-8")
        return str(self.file)

    def apply(self, text: str, *more: str) -> str:
        done = self.home("flows", "apply", self.write(text), "--yes", *more)
        assert done.returncode == 0, done
        return done.stdout + done.stderr

    def costs(self) -> str:
        """What the applied version says."""
        body = json.loads(self.home("flows", "show", "price", "--json").stdout)["body"]
        return str(body["do"][0]["text"])

    def mark(self, flow: str = "price") -> object:
        rows = json.loads(self.home("flows", "list", "--json").stdout)
        return next(row["rolled_back_at"] for row in rows if row["flow"] == flow)


@pytest.fixture
def files(home: Command, tmp_path: Path) -> Files:
    """Prices of 5, then of 6, are applied."""
    files = Files(home, tmp_path / "shop.yaml")
    files.apply(SHOP, "--note", "five")
    files.apply(SIX, "--note", "six")
    return files


def test_rollback_goes_back_one_version_and_repeating_it_changes_nothing(home: Command, files: Files) -> None:
    tried = home("flows", "rollback", "price", "--dry-run")
    assert (tried.returncode, files.costs()) == (0, "It costs 6.")
    assert "It costs 6." in tried.stdout
    assert "It costs 5." in tried.stdout
    assert home("flows", "rollback", "price").returncode == 2
    done = home("flows", "rollback", "price", "--yes", "--note", "too dear")
    assert (done.returncode, files.costs()) == (0, "It costs 5.")
    again = home("flows", "rollback", "price", "--yes")
    assert (again.returncode, files.costs()) == (0, "It costs 5.")
    assert "already, since 20" in again.stderr
    newest = json.loads(home("flows", "history", "price", "--json").stdout)[0]
    assert (newest["change"], newest["note"], newest["by"]) == ("rolled_back", "too dear", "command")


def _version(text: str) -> str:
    """Of the flow `price` in a file."""
    flows = load([("shop.yaml", text)]).flows
    return next(version_of(flow.body) for flow in flows if flow.id == "price")


def test_versions_are_named_by_their_first_characters(home: Command, files: Files) -> None:
    rows = json.loads(home("flows", "history", "price", "--json").stdout)
    six, five = (row["version"] for row in rows)
    done = json.loads(home("flows", "rollback", "price", five[:6].upper(), "--yes", "--json").stdout)
    assert (done["version"], done["version_before"], done["applied"]) == (five, six, True)
    there = home("flows", "rollback", "price", five[:8])
    assert (there.returncode, there.stderr) == (0, f"price is at {five[:8]} already.\n")
    nothing = home("flows", "rollback", "price", "zz")
    assert (nothing.returncode, nothing.stderr.splitlines()[1]) == (
        1,
        f"It has: {six[:8]}, {five[:8]}. Try: pamosnik flows history price",
    )
    others = (_version(SHOP.replace("costs 5", f"costs {n}")) for n in range(10, 1000))
    alike = next(n for n, other in enumerate(others, 10) if other[0] == six[0])
    files.apply(SHOP.replace("costs 5", f"costs {alike}"), "--over-rollback")
    many = six[0]
    ambiguous = home("flows", "rollback", "price", many, "--yes")
    assert (ambiguous.returncode, "They are: " in ambiguous.stderr) == (2, True), ambiguous
    assert home("flows", "rollback", "visit").stderr.startswith("visit has no earlier version.")
    # A version that was named was looked for only where there was one before.
    (only,) = json.loads(home("flows", "history", "visit", "--json").stdout)
    named = home("flows", "rollback", "visit", only["version"][:8])
    assert (named.returncode, "already" in named.stderr) == (0, True), named
    assert home("flows", "rollback", "visit", "zz").stderr.startswith("visit has no version zz.")
    assert home("flows", "rollback", "prise").stderr.startswith("There is no flow prise.")


def test_apply_leaves_a_flow_rolled_back_until_the_file_agrees_or_it_is_told(
    home: Command, files: Files
) -> None:
    home("flows", "rollback", "price", "--yes")
    differs = home("flows", "diff", str(files.file))
    assert (differs.returncode, "the file differs" in differs.stdout) == (3, True), differs
    other = files.apply(SIX.replace("Rose Street 5", "Rose Street 7"))
    assert "price stays rolled back" in other
    assert (files.costs(), files.mark() is None) == ("It costs 5.", False)
    # A third version is no agreement either.
    assert "Nothing else to change" in files.apply(SEVEN.replace("Rose Street 5", "Rose Street 7"))
    assert files.costs() == "It costs 5."
    files.apply(SEVEN, "--over-rollback")
    assert (files.costs(), files.mark()) == ("It costs 7.", None)
    home("flows", "rollback", "price", "--yes")
    assert files.costs() == "It costs 5."
    same = home("flows", "diff", files.write(SHOP))
    assert (same.returncode, files.mark() is None) == (0, False)
    refused = home("flows", "apply", files.write(SHOP), "--yes", "--require-tests")
    assert (refused.returncode, files.mark() is None) == (5, False), "the mark was taken off all the same"
    assert "applied already" in files.apply(SHOP)
    assert (files.costs(), files.mark()) == ("It costs 5.", None)
    assert files.apply(SEVEN).count("stays rolled back") == 0


def test_at_a_terminal_apply_asks_about_each_flow_that_is_rolled_back(home: Command, files: Files) -> None:
    home("flows", "rollback", "price", "--yes")
    _at_a_terminal(files, ("Apply what the files say now?", "n"), ("price stays rolled back", None))
    assert files.costs() == "It costs 5."
    _at_a_terminal(files, ("Apply what the files say now?", "y"), ("Apply this?", "y"), ("Applied.", None))
    assert (files.costs(), files.mark()) == ("It costs 6.", None)


def _at_a_terminal(files: Files, *talk: tuple[str, str | None]) -> None:
    """Applies the file; what is shown in turn, and what is answered to it."""
    terminal, inside = pty.openpty()
    command = [sys.executable, "-m", "pamosnik", "flows", "apply", str(files.file)]
    asked = subprocess.Popen(command, stdin=inside, stdout=inside, stderr=inside, cwd=ROOT)
    os.close(inside)
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        for words, answer in talk:
            shown = b""
            while words.encode() not in shown:
                shown += screen.read(1024)
            if answer is not None:
                screen.write(f"{answer}\n".encode())
        assert asked.wait(20) == 0


def test_a_flow_that_was_taken_out_comes_back_and_prune_leaves_it(home: Command, files: Files) -> None:
    only = SHOP.split("  price:")[0] + "  visit:" + SHOP.split("  visit:")[1]
    files.apply(only, "--prune")
    assert "rollback price" in home("flows", "show", "price").stderr
    done = home("flows", "rollback", "price", "--yes")
    assert (done.returncode, "was taken out; it comes back" in done.stdout) == (0, True), done
    assert files.costs() == "It costs 6."
    assert "price stays rolled back" in files.apply(only, "--prune")
    differs = home("flows", "diff", str(files.file), "--prune")
    assert (differs.returncode, "- price" in differs.stdout) == (3, True), differs
    files.apply(only, "--prune", "--over-rollback")
    assert home("flows", "show", "price").returncode == 1


def test_a_version_that_no_longer_fits_is_refused_in_words(home: Command, files: Files) -> None:
    hi = "{ when: [{ dm: WORD }], do: [{ send: Hi }] }"
    visit, tour = hi.replace("WORD", "v"), hi.replace("WORD", "visit")
    files.apply(f"version: 1\nflows: {{ visit: {visit}, tour: {tour} }}\n", "--prune")
    done = home("flows", "rollback", "visit", "--yes", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["applied"]) == (4, False), done
    assert [(one["code"], one["place"]) for one in found["problems"]] == [
        ("unknown-field", "do.0"),
        ("unknown-variable", "do.1"),
        ("clash", "when.0"),
    ]
    said = home("flows", "rollback", "visit", "--yes")
    assert "`ask` (do.0): " in said.stdout
    assert "no longer fits what is applied now" in said.stderr
    assert json.loads(home("flows", "history", "visit", "--json").stdout)[0]["change"] == "changed"


def test_a_version_that_runs_a_flow_that_is_gone_is_refused(home: Command, files: Files) -> None:
    chain = SIX.replace('do: [{ send: "It costs 6." }]', "do: [{ run: visit }]")
    files.apply(chain)
    files.apply(SEVEN.split("  visit:")[0], "--prune")
    done = home("flows", "rollback", "price", "--yes")
    assert (done.returncode, "`run` (do.0)" in done.stdout) == (4, True), done
    assert "unknown-flow" in done.stdout


def test_what_stays_rolled_back_has_to_fit_what_is_applied(home: Command, files: Files) -> None:
    home("flows", "rollback", "price", "--yes")
    clash = SIX.replace("dm: visit", "dm: [visit, price]").replace("dm: price", "dm: prices")
    refused = home("flows", "apply", files.write(clash), "--yes")
    assert (refused.returncode, "`price` stays rolled back" in refused.stdout) == (4, True), refused
    files.apply(clash, "--over-rollback")


def test_a_rolled_back_flow_keeps_its_mark_under_a_new_id(home: Command, files: Files) -> None:
    home("flows", "rollback", "price", "--yes")
    renamed = SIX.replace("  price:\n", "  prices:\n    was: price\n")
    assert "prices stays rolled back" in files.apply(renamed)
    shown = json.loads(home("flows", "show", "prices", "--json").stdout)
    assert (shown["body"]["do"][0]["text"], shown["rolled_back_at"] is None) == ("It costs 5.", False)
    back = home("flows", "rollback", "price")
    assert (back.returncode, "is called prices now" in back.stderr) == (1, True)


REUSED = "version: 1\nflows: { ID: { WAS when: [{ dm: WORD }], do: [{ send: WORD }] } }\n"


def _reused(flow_id: str, word: str, *, was: str = "") -> str:
    renamed = f"was: {was}," if was else ""
    return REUSED.replace("ID", flow_id).replace("WORD", word).replace("WAS", renamed)


def test_an_earlier_flow_of_a_reused_id_lends_neither_its_versions_nor_its_pause(
    home: Command, files: Files
) -> None:
    """`rollback` put the texts of a flow long gone into another one that had got its id; taken out and brought back
    it was paused, because that other flow had been."""
    files.apply(_reused("gift", "tea"), "--prune")
    home("flows", "pause", "gift")
    files.apply(_reused("prize", "mug"), "--prune")
    files.apply(_reused("gift", "mug", was="prize"))
    none = home("flows", "rollback", "gift", "--yes")
    assert (none.returncode, none.stderr.splitlines()[0]) == (1, "gift has no earlier version."), none
    files.apply("version: 1\n", "--prune")
    back = home("flows", "rollback", "gift", "--yes")
    assert "paused" not in back.stdout
    (row,) = json.loads(home("flows", "list", "--json").stdout)
    assert (row["state"], "mug" in home("flows", "show", "gift", "--json").stdout) == ("live", True)
    home("flows", "pause", "gift")
    files.apply("version: 1\n", "--prune", "--over-rollback")
    assert "+ gift  (paused)" in files.apply(_reused("gift", "mug"))
    files.apply("version: 1\n", "--prune")
    again = home("flows", "rollback", "gift", "--yes")
    assert "It is paused, and stays so." in again.stdout


def test_a_flow_that_comes_back_under_its_new_id_is_not_said_to_begin_with_nothing(
    home: Command, files: Files
) -> None:
    files.apply(_reused("prize", "mug"), "--prune")
    files.apply(_reused("gift", "mug", was="prize"))
    files.apply("version: 1\n", "--prune")
    assert "was-unknown" not in files.apply(_reused("gift", "mug", was="prize"))


def test_what_stays_rolled_back_beside_a_file_without_flows(home: Command, files: Files) -> None:
    """A traceback, because the problem looked for a place in the flows of the file."""
    files.apply(SIX.replace("costs 6", "costs 6 in {street}"))
    files.apply(SEVEN)
    home("flows", "rollback", "price", "--yes")
    refused = home("flows", "apply", files.write("version: 1\n"), "--prune", "--yes")
    assert (refused.returncode, "shop.yaml:1:1: error: `price` stays" in refused.stdout) == (4, True), refused
    left = files.apply('version: 1\nfacts: { street: "Rose Street 5" }\n', "--prune")
    assert "price stays rolled back; it stands in no file. To take it out: --over-rollback" in left
