"""`flows explain`: every flow in plain sentences that a client can sign off, in English, German, Polish and Spanish.

`language` is what a language must be able to say, and one module for each says it. `triggers`, `conditions` and
`steps` choose the sentence: each is a `match` over the kinds of the model, so that the type checker finds a kind
without one.
`rules` and `head` tell what holds for a flow and for all of them; `page` is what comes out.
"""

from collections.abc import Sequence

from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.explain import head, rules, steps
from pamosnik.flows.explain.page import Explained, Page, Part
from pamosnik.flows.explain.speech import LANGUAGES, Speech
from pamosnik.flows.load import FlowSource
from pamosnik.flows.normal import Raw


def explain(flows: Sequence[FlowSource], settings: Raw, language: str | None = None) -> Page:
    """Flows without errors, and their settings. `language`: None for the files' own."""
    shared = compile_settings(settings)
    chosen = language or shared.language
    speech = Speech(LANGUAGES[chosen])
    told = []
    for source in flows:
        flow = compile_flow(source.id, source.body, timezone=shared.timezone or "UTC")
        steps_part = Part(speech.language.rules.steps, steps.items(speech, flow, shared), "steps")
        parts = (
            *rules.parts(speech, flow, source.body),
            *((steps_part,) if flow.steps else ()),
            *rules.notes(speech, flow, source.body, shared),
        )
        title = None if "title" not in source.body else str(source.body["title"])
        told.append(Explained(source.id, title, parts))
    words = speech.language.head
    return Page(chosen, words.title, words.general, tuple(head.items(speech, shared, settings)), tuple(told))
