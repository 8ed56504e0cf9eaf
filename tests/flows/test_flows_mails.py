"""`notify_me`: an address that is one, and a mail server that the machine has."""

from pamosnik.flows.load import load
from pamosnik.flows.problems import Severity
from pamosnik.model.step import NotifyMe
from tests.flows.files import compiled, found

_TOP = "version: 1\nflows:\n  shop:\n    when: { dm: cake }\n    limits: { per_person: 1h }\n    do:\n"


def test_the_step_as_it_is_compiled() -> None:
    flow = compiled(
        f"{_TOP}      - notify_me: Somebody\n      - notify_me: {{ text: x, by: email, to: a@b.example }}"
    )
    addresses = [step.to for step in flow.steps.values() if isinstance(step, NotifyMe)]
    assert addresses == [None, "a@b.example"]


def test_what_is_said_about_it() -> None:
    problems = {
        "- notify_me: { text: x, to: anna }": [(7, 35, "wrong-value")],
        "- notify_me: { to: a@b.example }": [(7, 9, "missing-key")],
        "- notify_me: { text: x, by: telegram }": [(7, 35, "unknown-word")],
        '- notify_me: "{first_name} wants cake"': [(7, 21, "stand-in")],
    }
    for step, places in problems.items():
        seen = [place for place in found(f"{_TOP}      {step}\n") if place[2] != "mail-unseen"]
        assert seen == places, step


def test_only_the_machine_knows_whether_mail_can_be_sent() -> None:
    file = [("shop.yaml", f"{_TOP}      - notify_me: Somebody\n")]
    said = {
        known: [(p.code, p.severity) for p in load(file, can_mail=known).problems]
        for known in (None, False, True)
    }
    assert said == {
        None: [("mail-unseen", Severity.NOTE)],
        False: [("no-mail-server", Severity.WARNING)],
        True: [],
    }
