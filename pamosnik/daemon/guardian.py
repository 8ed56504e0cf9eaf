"""Runs one program, and ends it as soon as the daemon is gone, however that ended. Started by itself, with nothing of
Pamosnik's loaded: `python -I -S guardian.py PROGRAM ARGUMENT…`.

Its standard input is a pipe that the daemon holds and never writes to: the end of it is the daemon's end, which no
signal can hide. It leads a process group of its own, so that what the program has started ends, too.
"""

import os
import signal
import sys
import threading


def _end_with_the_daemon() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> int:
    """How the program ended. Asked to end, the guardian waits for the program, which was asked, too."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # A handler, not "ignore": that the program would inherit.
        signal.signal(number, lambda *_: None)
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    try:
        program = os.posix_spawnp(command[0], command, os.environ, file_actions=[nothing])
    except OSError:
        return 127
    threading.Thread(target=_end_with_the_daemon, daemon=True).start()
    return os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])


if __name__ == "__main__":
    os._exit(max(main(sys.argv[1:]), 0))
