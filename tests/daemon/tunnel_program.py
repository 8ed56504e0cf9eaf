"""A tunnel as tests need one: `tunnel_program.py FOLDER PORT`. It takes https on a port of its own, another one each
time, and hands what comes to 127.0.0.1:PORT. FOLDER/behave says what it does, a word for each start; the last word
counts for all that follow. Each start adds its process id to FOLDER/starts, and writes the names of its variables to
FOLDER/environment.
"""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

FOLDER, PORT = Path(sys.argv[1]), int(sys.argv[2])
GREETING = "token tk_very_secret, see https://docs.example/x\nyour address: {}/"


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there, back = await asyncio.open_connection("127.0.0.1", PORT)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_carry(reader, back), _carry(there, writer))


async def _open(*, greets: str, hangs: bool = False, name: str = "127.0.0.1") -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "server.pem")
    server = await asyncio.start_server(_visit, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    moved = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, server.close)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, moved.set)
    if hangs:
        server.close()
    _say(greets.format(f"https://{name}:{port}"))
    await moved.wait()
    server.close()
    await _open(greets=greets, name=name)


def main() -> None:
    starts = FOLDER / "starts"
    with starts.open("a") as file:
        file.write(f"{os.getpid()}\n")
    (FOLDER / "environment").write_text("\n".join(sorted(os.environ)))
    words = (FOLDER / "behave").read_text().split()
    count = len(starts.read_text().split())
    match words[min(count, len(words)) - 1]:
        case "good":
            asyncio.run(_open(greets=GREETING))
        case "named":
            asyncio.run(_open(greets="{}", name="localhost"))
        case "hangs":
            asyncio.run(_open(greets="{}", hangs=True))
        case "dies":
            _say("no such account tk_very_secret")
            sys.exit(3)
        case "silent":
            signal.pause()
        case "rubbish":
            os.write(1, b"\xff\x00\x1b[2J" * 40_000 + b"\n" + b"x" * 300_000)
            _say("")
            asyncio.run(_open(greets="{}"))
        case "family":
            # What it starts ends with it, too.
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            with starts.open("a") as file:
                file.write(f"{child.pid}\n")
            asyncio.run(_open(greets="{}"))
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            asyncio.run(_open(greets="{}"))


main()
