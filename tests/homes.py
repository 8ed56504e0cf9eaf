"""A home with one account as `init` makes it: once in each process of the tests, every test has a copy.

To make one takes longer than most commands take: the password is hashed as slowly as anybody's.
"""

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash import forked

EMAIL = "rosa@shop.example"
PASSWORD = "three random words"
_WHO = ("--name", "Rosa", "--email", EMAIL, "--timezone", "Europe/Warsaw", "--password-stdin")


def with_one_account(home: Path) -> None:
    """Makes the folder, too."""
    home.mkdir(mode=0o700)
    for name, content in _made().items():
        (home / name).write_bytes(content)
        (home / name).chmod(0o600)


@cache
def _made() -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        done = forked.run(("init", *_WHO), {**os.environ, "PAMOSNIK_HOME": str(home)}, f"{PASSWORD}\n")
        assert done.returncode == 0, done
        return {file.name: file.read_bytes() for file in home.iterdir()}
