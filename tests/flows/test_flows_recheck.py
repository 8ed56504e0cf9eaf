"""Versions of earlier, against what is applied and set now."""

from collections.abc import Mapping

import pytest

from pamosnik.flows.load import load
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.recheck import Misfit, misfits

BEFORE = """
version: 1
fields: {{ day: text }}
facts: {{ street: Rose Street }}
hours: {{ open: {{ days: mon to fri }} }}
webhooks: {{ erp: {{ url: "https://erp.example/orders" }} }}
codes: {{ gifts: {{ file: gifts.csv }} }}
flows:
  asked: {{ when: [{{ dm: asked }}], do: [{step}] }}
  other: {{ when: [{{ dm: other }}], do: [{{ send: Hi }}] }}
"""
STEPS = {
    "unknown-field": '{ ask: { question: "Which day?", save_as: day } }',
    "unknown-variable": '{ send: "Come to {street}." }',
    "unknown-hours": "{ choose: [{ if: [{ during: open }], do: [{ send: Hi }] }] }",
    "unknown-webhook": "{ call: { webhook: erp, if_it_fails: [{ send: Sorry }] } }",
    "unknown-pool": '{ give_code: { from: gifts, text: "{code}", if_empty: [{ send: Sorry }] } }',
    "unknown-flow": "{ run: other }",
}


def _bodies(step: str) -> tuple[Mapping[str, Mapping[str, object]], Mapping[str, object]]:
    loaded = load([("shop.yaml", BEFORE.format(step=step))])
    assert not loaded.has_errors, loaded.problems
    return {flow.id: flow.body for flow in loaded.flows}, loaded.settings


def _misfits(
    flows: Mapping[str, Mapping[str, object]], settings: Mapping[str, object], *flow_ids: str
) -> list[Misfit]:
    return misfits(Outcome(flows=flows, settings=settings, here=frozenset(), places={}), flow_ids)


@pytest.mark.parametrize("code", STEPS)
def test_what_a_version_needs_and_is_gone_is_named(code: str) -> None:
    flows, settings = _bodies(STEPS[code])
    assert _misfits(flows, settings, "asked") == []
    (found,) = _misfits({"asked": flows["asked"]}, {}, "asked")
    verb = STEPS[code][2:].partition(":")[0]
    assert (found.code, found.path, found.step) == (code, "do.0", verb)
    assert found.place == f"`{verb}` (do.0)"


def test_only_what_is_asked_about_is_blamed() -> None:
    flows, settings = _bodies("{ send: Hi }")
    twins = {**flows, "twin": flows["asked"]}
    (found,) = _misfits(twins, settings, "twin")
    assert (found.code, found.flow_id, found.place) == ("clash", "twin", "`when`")
    assert _misfits(twins, settings, "other") == []
