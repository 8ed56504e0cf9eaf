"""What a language has to say: every sentence as a field, so that the type checker finds one that a language lacks.

Sentences have places in braces, filled by name. Conditions and triggers are clauses that stand behind "if" and "when"
(in German with the verb at the end); durations are in the accusative, so sentences are made to want it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pamosnik.model.book import Sentence
from pamosnik.model.condition import CameFrom
from pamosnik.model.step import Accept, FieldType


@dataclass(frozen=True, slots=True)
class Forms:
    """A noun after a number: 1; a few, which is 2 to 4 in Polish and 2 in English; the rest. `{n}` is the number."""

    one: str
    few: str
    many: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """How words are joined, and numbers and times written."""

    quotes: tuple[str, str]
    and_: str
    or_: str
    comma: str
    """Before these, between clauses."""
    form: Callable[[int], int]
    """0, 1, 2: which of `Forms`."""
    second: Forms
    minute: Forms
    hour: Forms
    day: Forms
    times: Forms
    """Once, twice, …"""
    conversations: Forms
    months: tuple[str, ...]
    date: str
    at: str
    at_one: str
    """Where one o'clock is said otherwise."""
    moment: str
    days: tuple[str, ...]
    """Of a list: Monday."""
    from_days: tuple[str, ...]
    to_days: tuple[str, ...]
    days_range: str
    clock: str
    """How a clock time begins: `{h}` hours, `{m}` minutes."""


@dataclass(frozen=True, slots=True)
class Head:
    title: str
    general: str
    zone: str
    zone_of_account: str
    speaks: str
    languages: Mapping[str, str]
    disclosure: str
    no_disclosure: str
    safety: str
    says: Mapping[Sentence, str]
    fields: str
    field: str
    kept: str
    """Behind a field: deleted after this time."""
    types: Mapping[FieldType, str]
    hours: str
    every_day: str
    whole_day: str
    next_day: str
    facts: str
    fact: str
    codes: str
    pool: str
    pool_empty: str
    pool_low: str
    webhooks: str
    webhook_from: str
    signed: str
    unsigned: str
    private: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a whole flow."""

    was: str
    paused: str
    active_from: str
    active_until: str
    active_between: str
    from_day: str
    until_day: str
    """A day that still counts."""
    connections: str
    priority: str
    single: str
    restart: str
    parallel: str
    once: str
    every: str
    per_post: str
    tests: str
    starts: str
    starts_never: str
    only_if: str
    rules: str
    notes: str
    steps: str
    after_comment: str
    after_comment_public: str
    buttons_note: str
    facts_note: str
    braces: str
    brace: str
    brace_else: str
    variables: Mapping[str, str]
    brace_field: str
    brace_called: str


@dataclass(frozen=True, slots=True)
class Triggers:
    comment: str
    live_comment: str
    dm: str
    story_reply: str
    any_story: str
    stories: str
    story_mention: str
    shared_post: str
    shared_posts: str
    any_post: str
    any_own_post: str
    next_post: str
    posts: str
    replies: str
    any_reaction: str
    reaction: str
    ice_breaker: str
    menu: str
    any_link: str
    link: str
    any_ad: str
    ad: str
    first_message: str
    anything_else: str
    tag_added: str
    field_set: str
    schedule: str
    daily: str
    on_days: str
    cron: str
    audience: str
    audience_if: str
    whole_word: str
    exact: str
    starts_with: str
    contains: str
    fuzzy: str
    regex: str
    but_not: str
    star: str


@dataclass(frozen=True, slots=True)
class Conditions:
    has_tag: str
    has_not_tag: str
    is_: str
    is_not: str
    one_of: str
    contains: str
    more_than: str
    less_than: str
    before: str
    after: str
    known: str
    unknown: str
    text: str
    first_time: str
    not_first_time: str
    window_open: str
    window_closed: str
    follows: tuple[str, str, str]
    """True, false, unknown."""
    verified: tuple[str, str, str]
    more_followers: str
    less_followers: str
    followers_between: str
    followers_unknown: str
    during: str
    outside: str
    came_from: str
    origins: Mapping[CameFrom, str]
    none: str
    none_item: str
    none_of_known: str


@dataclass(frozen=True, slots=True)
class Steps:
    reply: str
    reply_one_of: str
    reply_waits: str
    message: str
    message_one_of: str
    message_without_text: str
    image: str
    video: str
    audio: str
    file: str
    post: str
    heart: str
    card: str
    card_image: str
    card_url: str
    typing: str
    quote: str
    untracked: str
    button: str
    chip: str
    choice: str
    opens: str
    counted_as: str
    leads_to: str
    question: str
    saved: str
    accepted: str
    accepts: Mapping[Accept, str]
    optional: str
    again: str
    then_human: str
    then_on: str
    then: str
    gives_up: str
    no_answer_ends: str
    no_answer: str
    wait: str
    wait_until: str
    wait_days: str
    zone: str
    closed_skip: str
    closed_stop: str
    closed_tell: str
    wait_answer: str
    wait_tap: str
    wait_click: str
    wait_tag: str
    not_in_time: str
    not_in_time_ends: str
    choose: str
    if_: str
    else_: str
    no_else: str
    split: str
    share: str
    share_nothing: str
    tag: Forms
    untag: Forms
    set_: str
    add: str
    subtract: str
    clear: str
    code: str
    code_kept: str
    no_code: str
    no_code_on: str
    goal: str
    run: str
    back: str
    stop: str
    react: str
    hide: str
    delete: str
    hand_over: str
    goes_on: str
    note: str
    notify: str
    notify_to: str
    call: str
    sends_all: str
    sends_nothing: str
    sends: str
    sends_json: str
    saves: str
    attempt: str
    fails: str
    fails_on: str
    opt_out: str
    forget_me: str


@dataclass(frozen=True, slots=True)
class Language:
    grammar: Grammar
    head: Head
    rules: Rules
    triggers: Triggers
    conditions: Conditions
    steps: Steps


def one_or_many(number: int) -> int:
    """Of most languages: one, and the rest."""
    return 0 if number == 1 else 2


def one_two_or_many(number: int) -> int:
    """Once, twice, three times."""
    return min(number, 3) - 1 if number else 2


def polish(number: int) -> int:
    """1 · 2, 3, 4, 22, … but not 12, 13, 14 · the rest."""
    if number == 1:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2
