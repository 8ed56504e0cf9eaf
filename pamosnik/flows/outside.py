"""Steps that need something beside the conversation: is it declared, is it said, what happens without it?"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

from pamosnik.flows.bodies import Placed, Raw, steps
from pamosnik.flows.check import VARIABLES
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import KEY
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.flows.values import misfit
from pamosnik.model.text import Variable

_LONGEST_S = 60
_VARIABLE = re.compile(r"FLOW_[A-Za-z0-9_]+")


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found = list(_webhooks(outcome))
    for flow_id in sorted(outcome.here):
        for step in steps(flow_id, outcome.flows[flow_id]):
            match step.raw["do"]:
                case "give_code":
                    found += _give_code(outcome, step)
                case "call":
                    found += _call(outcome, step)
                case "notify_me":
                    found += _notify_me(outcome, step)
    return found


def _give_code(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    raw, path = step.raw, step.path
    pools = cast("Raw", outcome.settings.get("codes", {}))
    name = str(raw.get("from", ""))
    if "from" in raw and name not in pools and not outcome.may_be_lost(name):
        hint = near(name, pools) or f"Add it at the top: codes: {{{name}: {{file: {name}.csv}}}}"
        yield outcome.problem(f"{path}.from", "unknown-pool", f"there is no pool of codes `{name}`", hint)
    if path in outcome.broken:
        return
    if "text" in raw and not _says(str(raw["text"]), "code"):
        message, hint = "this text does not say the code", "Put {code} into it."
        yield outcome.problem(f"{path}.text", "code-not-said", message, hint, Severity.WARNING)
    if "if_empty" not in raw:
        message, hint = "when no code is left, this step does nothing", "Say what happens then: if_empty: […]"
        yield outcome.problem(path, "no-if-empty", message, hint, Severity.WARNING)


def _call(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    raw, path = step.raw, step.path
    known = cast("Raw", outcome.settings.get("webhooks", {}))
    name = str(raw.get("webhook", ""))
    if "webhook" in raw and name not in known and not outcome.may_be_lost(name):
        hint = near(name, known) or f'Add it at the top: webhooks: {{{name}: {{url: "https://…"}}}}'
        yield outcome.problem(f"{path}.webhook", "unknown-webhook", f"there is no webhook `{name}`", hint)
    if cast("int", raw.get("timeout", 0)) > _LONGEST_S:
        message, hint = "nobody waits so long for an answer", "60s at most."
        yield outcome.problem(f"{path}.timeout", "timeout-too-long", message, hint)
    yield from _sent(outcome, raw, path)
    taken = (*VARIABLES, *_names(outcome, "facts"), *_names(outcome, "codes"))
    for name in cast("Raw", raw.get("save", {})):
        if name in taken:
            message = f"`{name}` means something already, and an answer cannot be saved under it"
            hint = "Take another name."
            yield outcome.problem(f"{path}.save.{name}{KEY}", "name-taken", message, hint)


def _sent(outcome: Outcome, raw: Raw, path: str) -> Iterator[Problem]:
    sent = raw.get("send")
    if isinstance(sent, list):
        known = (*VARIABLES, *_names(outcome, "facts"), *_names(outcome, "fields"), *_called(outcome, path))
        for number, name in enumerate(sent):
            if name not in known and not outcome.may_be_lost(name):
                message = f"`{name}` is neither a field nor a variable"
                hint = near(name, known) or f"Add it at the top: fields: {{{name}: text}}"
                yield outcome.problem(f"{path}.send.{number}", "unknown-field", message, hint)
    elif isinstance(sent, dict) and raw.get("method") in ("GET", "DELETE"):
        for key, value in sent.items():
            if isinstance(value, dict | list):
                message = "what GET and DELETE send stands in the address: one value for each name"
                place = f"{path}.send.{re.sub('[.:]', '_', key)}"
                yield outcome.problem(place, "too-deep", message, "Use POST, or send simple values.")


def _called(outcome: Outcome, path: str) -> list[str]:
    """Variables that calls of this flow make."""
    flow_id = path.partition(":")[0]
    return [
        name
        for step in steps(flow_id, outcome.flows[flow_id])
        for name in cast("Raw", step.raw.get("save", {}))
    ]


def _names(outcome: Outcome, kind: str) -> list[str]:
    return list(cast("Raw", outcome.settings.get(kind, {})))


def _webhooks(outcome: Outcome) -> Iterator[Problem]:
    """Those that stand in these files."""
    for name, webhook in cast("Mapping[str, Raw]", outcome.settings.get("webhooks", {})).items():
        path = f"webhooks.{name}"
        if path not in outcome.places or path in outcome.broken:
            continue
        if ("url" in webhook) == ("url_from" in webhook):
            message = f"the webhook `{name}` needs either `url:` or `url_from:`"
            yield outcome.problem(path, "webhook-address", message, 'Write it like: url: "https://…"')
        if "url" in webhook:
            yield from _address(
                outcome, f"{path}.url", str(webhook["url"]), bool(webhook.get("allow_private"))
            )
        for key in ("url_from", "secret_from"):
            if key in webhook:
                yield from _variable_of_environment(outcome, f"{path}.{key}", str(webhook[key]))


def _address(outcome: Outcome, path: str, written: str, allow_private: bool) -> Iterator[Problem]:
    try:
        parts = parse_text(written).parts
    except BadVariable:
        hint = "Write it like {shop_address}, with a fact; for a brace itself write {{."
        yield outcome.problem(path, "bad-variable", "a brace is opened and holds no variable", hint)
        return
    facts = cast("Mapping[str, str]", outcome.settings.get("facts", {}))
    for part in parts:
        if isinstance(part, Variable) and part.name not in facts and not outcome.may_be_lost(part.name):
            message = f"`{{{part.name}}}` cannot stand in an address that is called: only facts can"
            hint = near(part.name, facts) or "Send it in the call: `send`."
            yield outcome.problem(path, "unknown-variable", message, hint)
            return
    url = "".join(facts.get(part.name, "") if isinstance(part, Variable) else part for part in parts)
    wrong = _wrong_address(url, allow_private)
    if wrong is not None:
        yield outcome.problem(path, "webhook-address", *wrong)


def _wrong_address(url: str, allow_private: bool) -> tuple[str, str] | None:
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("https", "http"):
        return "this is no address that can be called", "Write it like https://shop.example/hook."
    if parts.username is not None or parts.password is not None:
        return (
            "an address holds no user and no password",
            "Keep it out of the file: url_from: FLOW_…, and sign calls.",
        )
    if allow_private:
        return None
    if parts.scheme == "http":
        return (
            "an address that is called begins with https://",
            "Inside your own network: allow_private: true",
        )
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or _is_private(host):
        return "this address is in a private network", "If you mean it: allow_private: true"
    return None


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def _variable_of_environment(outcome: Outcome, path: str, name: str) -> Iterator[Problem]:
    if not _VARIABLE.fullmatch(name):
        message = f"`{name}` is no variable that a flow file may name"
        yield outcome.problem(
            path, "webhook-variable", message, "Its name begins with FLOW_, like FLOW_CRM_KEY."
        )
    elif outcome.unset is None:
        message = f"whether {name} is set, only the machine knows where this runs"
        hint = "`pamosnik flows apply` looks there."
        yield outcome.problem(path, "variable-unseen", message, hint, Severity.NOTE)
    elif (unset := outcome.unset(name)) is not None:
        yield outcome.problem(path, "variable-unset", *unset)


def _notify_me(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    to = step.raw.get("to")
    if to is not None and (wrong := misfit({"type": "email"}, str(to))) is not None:
        yield outcome.problem(f"{step.path}.to", "wrong-value", f"`to` {wrong[0]}", wrong[1])
    if outcome.can_mail is None:
        message = "whether a mail server is set, only the machine knows where this runs"
        hint = "`pamosnik flows apply` looks there."
        yield outcome.problem(step.path, "mail-unseen", message, hint, Severity.NOTE)
    elif not outcome.can_mail:
        message = "no mail server is set here: nobody would be told"
        hint = "Set PAMOSNIK_SMTP_URL for `pamosnik serve`."
        yield outcome.problem(step.path, "no-mail-server", message, hint, Severity.WARNING)


def _says(written: str, name: str) -> bool:
    try:
        return any(isinstance(part, Variable) and part.name == name for part in parse_text(written).parts)
    except BadVariable:
        return True
