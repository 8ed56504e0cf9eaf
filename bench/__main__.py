"""`make bench`: figures as ratios to a bare application, measured side by side in one run.

Each round measures every variant once, in turn, so that a slow minute of the machine hits all of them; the median of
the rounds is shown. No test asserts any of this.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench import matching, page
from pamosnik.instagram.webhook import sign

ROUNDS = 3
REQUESTS = 2000
EVENTS = 200
RATE = 50
SECRET = "bench-secret"
IG_ID = "17841400000000001"

FLOW = """\
version: 1
disclosure: "Automated."
flows:
  price:
    when: [dm: price]
    mode: parallel
    do:
      - send: "Here you are."
"""


@dataclass(frozen=True, slots=True)
class Load:
    per_second: float
    p50_ms: float
    p99_ms: float


def _message(number: int, run: str) -> bytes:
    item = {
        "sender": {"id": f"9{number:014}"},
        "recipient": {"id": IG_ID},
        "timestamp": int(time.time() * 1000),
        "message": {"mid": f"m{run}-{number}", "text": "price please"},
    }
    entry = {"id": IG_ID, "time": int(time.time() * 1000), "messaging": [item]}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


async def _intake(url: str, at_once: int, run: str) -> Load:
    """Posts signed deliveries, `at_once` in flight; the answer's latency is the acknowledgement."""
    numbers = iter(range(REQUESTS))
    latencies: list[float] = []
    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            for number in numbers:
                body = _message(number, run)
                signed = {**headers, "X-Hub-Signature-256": sign(body, SECRET)}
                begun = time.perf_counter()
                async with session.post(url, data=body, headers=signed) as answer:
                    await answer.read()
                    assert answer.status == 200
                latencies.append(time.perf_counter() - begun)

        begun = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(at_once)))
        took = time.perf_counter() - begun
    return _load(latencies, REQUESTS / took)


def _load(latencies: Sequence[float], per_second: float) -> Load:
    ordered = sorted(latencies)
    return Load(per_second, ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000)


# --- the servers -----------------------------------------------------------------------------------------

_BARE = """\
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def hook(request):
    await request.body()
    return PlainTextResponse("ok")
app = Starlette(routes=[Route("/webhooks/instagram", hook, methods=["POST"]), Route("/readyz", hook)])
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="error")
"""

_STUB = """\
import sys, json, itertools, time, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
numbers, sent = itertools.count(), []
async def messages(request):
    body = await request.json()
    sent.append([body["recipient"]["id"], time.time()])
    return JSONResponse({"recipient_id": body["recipient"]["id"], "message_id": f"s{next(numbers)}"})
async def me(request):
    return JSONResponse({"user_id": "17841400000000001", "id": "27000000000000001", "username": "bench"})
async def good(request):
    return JSONResponse({"success": True, "data": []})
async def log(request):
    return JSONResponse(sent)
app = Starlette(routes=[
    Route("/v26.0/17841400000000001/messages", messages, methods=["POST"]),
    Route("/v26.0/me", me), Route("/readyz", good), Route("/log", log),
    Route("/{rest:path}", good, methods=["GET", "POST", "DELETE"])])
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="error")
"""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def _process(arguments: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[str]:
    with subprocess.Popen(arguments, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _until_listening(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _until_listening(port: int) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


@contextmanager
def _bare() -> Iterator[str]:
    port = _free_port()
    with _process([sys.executable, "-c", _BARE, str(port)], port, dict(os.environ)) as address:
        yield address


@contextmanager
def _stub() -> Iterator[str]:
    port = _free_port()
    with _process([sys.executable, "-c", _STUB, str(port)], port, dict(os.environ)) as address:
        yield address


@contextmanager
def _pamosnik(meta: str, folder: Path) -> Iterator[str]:
    port = _free_port()
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(folder / "home"),
        "PAMOSNIK_META_URL": meta,
        "PAMOSNIK_INSTAGRAM_APP_SECRET": SECRET,
        "PAMOSNIK_QUIET": "1",
    }
    pamosnik = [sys.executable, "-m", "pamosnik"]
    flow = folder / "flow.yaml"
    flow.write_text(FLOW)
    who = ["--name", "Bench", "--email", "bench@example.com", "--timezone", "UTC", "--password-stdin"]

    def run(*arguments: str, given: str = "") -> None:
        subprocess.run(
            [*pamosnik, *arguments],
            env=environment,
            input=given,
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    run("init", *who, given="bench password\n")
    run("connect", "--token-stdin", given="BENCHTOKEN\n")
    run("flows", "apply", str(flow), "--yes")
    with _process([*pamosnik, "serve", "--port", str(port)], port, environment) as address:
        yield address


# --- the figures -----------------------------------------------------------------------------------------


async def _end_to_end(address: str, meta: str, run: str) -> Load:
    """Events at a steady rate; from the post of the webhook to the arrival of the answer at the stub."""
    begun: dict[str, float] = {}
    async with aiohttp.ClientSession() as session:

        async def post(number: int) -> None:
            body = _message(number, run)
            begun[f"9{number:014}"] = time.time()
            signed = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(body, SECRET)}
            async with session.post(f"{address}/webhooks/instagram", data=body, headers=signed) as answer:
                await answer.read()

        posts = []
        for number in range(5_000_000, 5_000_000 + EVENTS):
            posts.append(asyncio.create_task(post(number)))
            await asyncio.sleep(1 / RATE)
        await asyncio.gather(*posts)
        latencies: list[float] = []
        for _ in range(200):
            async with session.get(f"{meta}/log") as answer:
                arrived = {igsid: at for igsid, at in await answer.json() if igsid in begun}
            latencies = [at - begun[igsid] for igsid, at in arrived.items()]
            if len(latencies) == EVENTS:
                break
            await asyncio.sleep(0.05)
    if len(latencies) < EVENTS:
        raise SystemExit(f"only {len(latencies)} of {EVENTS} answers arrived")
    return _load(latencies, RATE)


def _median(loads: Sequence[Load]) -> Load:
    return Load(
        statistics.median(load.per_second for load in loads),
        statistics.median(load.p50_ms for load in loads),
        statistics.median(load.p99_ms for load in loads),
    )


def main() -> None:
    print(
        f"Medians of {ROUNDS} rounds; × bare = ratio to an application that reads the body and answers 200.\n"
    )
    for at_once in (16, 64):
        bare, ours = [], []
        for number in range(ROUNDS):
            with _bare() as address:
                bare.append(asyncio.run(_intake(f"{address}/webhooks/instagram", at_once, f"b{number}")))
            # A fresh home each round: the sender must not still be busy with the round before.
            with (
                tempfile.TemporaryDirectory() as folder,
                _stub() as meta,
                _pamosnik(meta, Path(folder)) as address,
            ):
                ours.append(asyncio.run(_intake(f"{address}/webhooks/instagram", at_once, f"p{number}")))
        base, mine = _median(bare), _median(ours)
        print(
            f"intake, engine and sender beside it, C={at_once:<3} {mine.per_second / base.per_second:.2f} × bare"
            f" ({mine.per_second:.0f} of {base.per_second:.0f}/s), p99 {mine.p99_ms / base.p99_ms:.1f} × bare"
        )
    with tempfile.TemporaryDirectory() as folder, _stub() as meta, _pamosnik(meta, Path(folder)) as address:
        whole = asyncio.run(_end_to_end(address, meta, "e"))
    print(f"end to end at {RATE} events/s          p50 {whole.p50_ms:.1f} ms, p99 {whole.p99_ms:.1f} ms")
    matching.main()
    page.measure(1_000_000, 100_000)


if __name__ == "__main__":
    main()
