"""Steps that need something beside the conversation: is it declared, is it said, what happens without it?"""

from collections.abc import Iterator
from typing import cast

from pamosnik.flows.check import Outcome, Placed, Raw, near, steps
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.flows.values import misfit
from pamosnik.model.text import Variable


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        for step in steps(flow_id, outcome.flows[flow_id]):
            match step.raw["do"]:
                case "give_code":
                    found += _give_code(outcome, step)
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
