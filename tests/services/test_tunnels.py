"""What is run for each kind of tunnel, and the address in its output, as it is documented or was seen: the files in
`tunnel_output`.

https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/do-more-with-tunnels/trycloudflare/ ,
https://ngrok.com/docs/agent/cli/ , https://tailscale.com/docs/reference/tailscale-cli/funnel ,
https://localhost.run/docs/ , https://serveo.net/ , https://pinggy.io/docs/
"""

from pathlib import Path

import pytest

from pamosnik.errors import UsageError
from pamosnik.services import tunnels

OUTPUT = Path(__file__).parent / "tunnel_output"
NGROK_JSON = (
    '{"addr":"http://127.0.0.1:8788","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels",'
    '"t":"2026-08-10T07:20:40Z","url":"https://shop.ngrok.app"}'
)


def _named(kind: str, output: str) -> list[str]:
    """`output`: a file's name, or what is printed."""
    file = OUTPUT / f"{output}.txt"
    printed = file.read_text("utf-8") if output.isidentifier() else output
    tunnel = tunnels.parse(kind)
    found = (tunnel.address_in(line) for line in printed.splitlines())
    return [url for url in found if url is not None]


@pytest.mark.parametrize(
    ("kind", "output", "address"),
    [
        ("cloudflared", "cloudflared", "https://purple-rain-4d7f.trycloudflare.com"),
        ("ngrok", "ngrok", "https://zookeeper-pronto-ship.ngrok-free.dev"),
        ("ngrok:shop.ngrok.app", NGROK_JSON, "https://shop.ngrok.app"),
        ("tailscale", "tailscale", "https://amelie-workstation.pango-lin.ts.net"),
        ("ssh:nokey@localhost.run", "localhost_run", "https://8beaa541ba3dc2.lhr.life"),
        ("ssh:serveo.net", "serveo", "https://59614f9c88d865c5-35-153-157-12.serveousercontent.com"),
        ("ssh:a.pinggy.io:443", "pinggy", "https://rnabc-203-0-113-7.a.free.pinggy.link"),
        ("command:mytunnel {port}", "any", "https://shop.tunnel.example:8443"),
    ],
)
def test_the_address_is_found_and_nothing_else_is_taken_for_it(kind: str, output: str, address: str) -> None:
    assert _named(kind, output) == [address]


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("cloudflared", "cloudflared_refused"),
        ("cloudflared:shop", "cloudflared"),
        ("ngrok", "ngrok_refused"),
        ("tailscale", "tailscale_refused"),
        ("ssh:shop@server.example", "localhost_run"),
        ("ssh:serveo.net", "HTTP request from 203.0.113.7 to https://x.serveo.net/ https://evil.example"),
        ("ssh:serveo.net", "GET /Forwarding HTTP traffic from https://evil.example"),
        ("ssh:localhost.run", "GET /a b tunneled with tls termination, https://evil.example"),
        (
            "command:x",
            "http://shop.example/ ftp://https://a.example https:// https://user@shop.example https://-.-",
        ),
    ],
)
def test_what_names_no_address_gives_none(kind: str, output: str) -> None:
    assert _named(kind, output) == []


def _run(kind: str) -> str:
    return " ".join(tunnels.parse(kind).command("127.0.0.1", 9000))


def test_what_is_run() -> None:
    here = "http://127.0.0.1:9000"
    assert _run("cloudflared") == f"cloudflared tunnel --config /dev/null --no-autoupdate --url {here}"
    assert _run("cloudflared:shop") == f"cloudflared tunnel --no-autoupdate --url {here} run shop"
    assert _run("ngrok") == f"ngrok http --log=stdout --log-format=logfmt {here}"
    assert _run("ngrok:https://shop.ngrok.app") == (
        f"ngrok http --log=stdout --log-format=logfmt --url=https://shop.ngrok.app {here}"
    )
    assert _run("tailscale") == f"tailscale funnel {here}"
    assert _run("command:'my tunnel' --to=localhost:{port} {port}") == "my tunnel --to=localhost:9000 9000"


SAID = (
    "-o BatchMode=yes -o ConnectTimeout=20 -o ExitOnForwardFailure=yes"
    " -o ServerAliveInterval=15 -o ServerAliveCountMax=3"
)


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("ssh:shop@server.example", f"ssh {SAID} -N -T -R 127.0.0.1:8788:127.0.0.1:9000 shop@server.example"),
        (
            "ssh:server.example:2222",
            f"ssh {SAID} -p2222 -N -T -R 127.0.0.1:8788:127.0.0.1:9000 server.example",
        ),
        (
            "ssh:-i ~/.ssh/shop -R 127.0.0.1:7000:localhost:{port} server.example",
            f"ssh -i ~/.ssh/shop -R 127.0.0.1:7000:localhost:9000 {SAID} -N -T server.example",
        ),
        (
            "ssh:nokey@localhost.run",
            f"ssh {SAID} -o StrictHostKeyChecking=accept-new -T -R 80:127.0.0.1:9000 nokey@localhost.run",
        ),
        (
            "ssh:a.pinggy.io:443",
            f"ssh {SAID} -p443 -o StrictHostKeyChecking=accept-new -T -R 0:127.0.0.1:9000 a.pinggy.io",
        ),
    ],
)
def test_what_is_run_for_ssh(kind: str, command: str) -> None:
    assert _run(kind) == command


@pytest.mark.parametrize(
    "kind",
    [
        "frp",
        "",
        "ssh",
        "ssh:",
        "ssh:-v",
        "ssh:server.example:22x",
        "command:",
        "command:'unfinished",
        "tailscale:x",
        "s3cret token",
    ],
)
def test_what_is_none_is_refused_without_quoting_it_all(kind: str) -> None:
    with pytest.raises(UsageError) as refused:
        tunnels.parse(kind)
    assert "s3cret token" not in refused.value.message


@pytest.mark.parametrize("kind", ["cloudflared", "ngrok", "tailscale", "ssh:a@b", "command:/nowhere/at-all"])
def test_a_missing_program_is_named_with_how_to_get_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="is not on this machine") as refused:
        tunnels.require(tunnels.parse(kind), public_url="https://shop.example")
    assert refused.value.hint


@pytest.mark.parametrize(("kind", "names"), [("ssh:a@server.example", False), ("ssh:localhost.run", True)])
def test_an_address_that_nobody_says_has_to_be_set(kind: str, names: bool) -> None:
    tunnel = tunnels.parse(kind)
    tunnels.require(tunnel, public_url="https://shop.example")
    if names:
        tunnels.require(tunnel, public_url=None)
        return
    with pytest.raises(UsageError, match="does not say its public address"):
        tunnels.require(tunnel, public_url=None)
