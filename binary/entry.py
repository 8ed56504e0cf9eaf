"""Where the single executable begins: PyInstaller's bootloader runs this file."""

import os
import sys

from pamosnik import frozen


def _begin() -> None:
    frozen.settle()
    if sys.argv[1:2] == [frozen.GUARD]:
        from pamosnik.daemon import guardian

        os._exit(max(guardian.main(sys.argv[2:]), 0))
    from pamosnik.cli import main

    main()


_begin()
