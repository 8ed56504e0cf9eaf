"""The register: what each table and column holds, and about whom.

Export, erasure and retention read it; a test compares it with the schema, so that no column can be added without
saying whose data it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    """Whom a value tells something about."""

    PERSON = "person"
    """A contact: somebody who wrote or commented."""
    HOLDER = "holder"
    """The account's holder."""
    BUSINESS = "business"
    """The business and its flows: no person."""
    LINK = "link"
    """Ids and states that mean nothing without the rows they point to."""
    HIDDEN = "hidden"
    """Hashes, sealed tokens, wrapped keys: never exported, never shown."""
    DERIVED = "derived"
    """Made of rows that stand elsewhere: not exported, for an import makes it anew."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `person_key`: the column that leads to the person; None when it holds none."""

    holds: str
    person_key: str | None
    columns: Mapping[str, About]


def _columns(**groups: str) -> Mapping[str, About]:
    """Column → about whom, from lists of names."""
    return {name: About(about) for about, names in groups.items() for name in names.split()}


REGISTER: Mapping[str, Table] = {
    "accounts": Table(
        "who may log in",
        None,
        _columns(
            link="account_id status created_at",
            holder="name email timezone adult_stated_at",
            hidden="password_hash",
        ),
    ),
    "account_keys": Table(
        "the account's data key",
        None,
        _columns(link="account_id created_at", hidden="wrapped_key"),
    ),
    "sessions": Table(
        "logins at the status page",
        None,
        _columns(
            hidden="token_hash",
            link="session_id account_id",
            holder="created_at last_seen_at expires_at browser",
        ),
    ),
    "known_browsers": Table(
        "browsers that logged in before",
        None,
        _columns(hidden="token_hash", link="account_id", holder="made_at last_used_at"),
    ),
    "login_attempts": Table(
        "failed logins, and mails that were asked for",
        None,
        _columns(link="id account_id what", hidden="email_hash", holder="at"),
    ),
    "mailed_links": Table(
        "links in mails to the account's holder that were not used yet",
        None,
        _columns(hidden="token_hash", link="account_id purpose", holder="email made_at expires_at"),
    ),
    "instagram_logins": Table(
        "logins with Instagram that are under way",
        None,
        _columns(
            hidden="token_hash",
            link="account_id how connection_id problem",
            holder="made_at expires_at",
        ),
    ),
    "api_tokens": Table(
        "tokens of the API",
        None,
        _columns(hidden="token_hash", link="token_id account_id", holder="name created_at last_used_at"),
    ),
    "connections": Table(
        "connected Instagram accounts",
        None,
        _columns(
            link="connection_id account_id status reason rest_until rest_reason read_until",
            business="ig_id asid username scopes token_expires_at token_issued_at token_refresh_at connected_at"
            " subscribed_fields private_reply_buttons delete_after",
            hidden="token_sealed",
        ),
    ),
    "events": Table(
        "what Meta told us",
        "igsid",
        _columns(
            link="event_id account_id connection_id dedup_key verdict flow_id run_id reason attempts decided_at"
            " seen_times received_at media_id ad_id recovered doubt_from by_run",
            person="kind occurred_at igsid username text mid payload title comment_id parent_id story_id ref emoji"
            " reply_to_mid attachments trace changed",
        ),
    ),
    "contacts": Table(
        "people",
        "contact_id",
        _columns(
            link="contact_id account_id connection_id",
            person="igsid username name follows_me verified followers created_at last_seen_at first_message_at"
            " window_open_until opted_out_at unreachable_since paused_until paused_by paused_note note search"
            " disclosed_at looked_up_at look_up_again_at look_up_problem forget_at",
        ),
    ),
    "contact_ids": Table(
        "other ids of a person",
        "contact_id",
        _columns(link="account_id connection_id contact_id", person="igsid"),
    ),
    "contact_tags": Table(
        "tags of a person", "contact_id", _columns(link="account_id contact_id", person="tag added_at")
    ),
    "contact_fields": Table(
        "custom fields of a person",
        "contact_id",
        _columns(link="account_id contact_id counted", person="field value set_at"),
    ),
    "codes": Table(
        "codes to give away", None, _columns(link="account_id pool place", business="code given_at")
    ),
    "given_codes": Table(
        "codes that a person was given",
        "contact_id",
        _columns(link="account_id contact_id pool", person="code given_at told_at"),
    ),
    "flow_versions": Table(
        "flows as they were written",
        None,
        _columns(link="account_id flow_id version created_at", business="body timezone"),
    ),
    "flows": Table(
        "flows that are applied",
        None,
        _columns(
            link="account_id flow_id version place",
            business="title paused_at paused_by rolled_back_at applied_at",
        ),
    ),
    "books": Table(
        "settings of all flows", None, _columns(link="account_id revision applied_at", business="settings")
    ),
    "flow_names": Table(
        "first ids of flows that were renamed", None, _columns(link="account_id flow_id first_id")
    ),
    "flow_history": Table(
        "what became of flows",
        None,
        _columns(
            link="id account_id flow_id known_as version change former_id",
            business="note at",
            holder="actor",
        ),
    ),
    "bound_posts": Table(
        "posts that `post: next` was bound to",
        None,
        _columns(link="account_id connection_id flow_id version since", business="media_id"),
    ),
    "posts": Table(
        "what Instagram says of posts",
        None,
        _columns(
            link="account_id connection_id",
            business="media_id shortcode posted_at comments_read caption permalink",
        ),
    ),
    "runs": Table(
        "people going through flows",
        "contact_id",
        _columns(
            link="run_id account_id connection_id contact_id flow_id version mode status live turn step taps_open"
            " main_done counted reason media_id doubt_from",
            person="origin comment_id answer data started_at finished_at",
        ),
    ),
    "waits": Table(
        "where runs stand still",
        "contact_id",
        _columns(
            link="wait_id account_id run_id contact_id kind path branch opened_at due_at tries attempts woken_at",
            business="what",
        ),
    ),
    "turns": Table(
        "what each decision did",
        "run_id",
        _columns(link="account_id run_id turn stimulus event_id at", person="trace"),
    ),
    "outbox": Table(
        "what leaves the machine",
        "contact_id",
        _columns(
            link="seq item_id account_id connection_id contact_id source turn ordinal run_id flow_id step kind lane"
            " status held_for depends_on plain due_at deadline attempts first_attempt_at last_attempt_at uncertain"
            " reason told created_at settled_at look_at looks not_there_at live doubt_from",
            person="content wire igsid comment_id message_id task result",
        ),
    ),
    "links": Table(
        "tracked links and their clicks",
        "contact_id",
        _columns(
            link="account_id connection_id contact_id run_id item_id flow_id step made_at",
            business="name",
            person="address clicks previews first_click_at last_click_at",
            hidden="token",
        ),
    ),
    "attempts": Table(
        "requests that count against hourly limits",
        None,
        _columns(link="id account_id connection_id kind at"),
    ),
    "rests": Table(
        "kinds of messages that Meta wants to rest",
        None,
        _columns(link="account_id connection_id quota until reason"),
    ),
    "usage": Table(
        "what Meta's usage headers said last, for each kind of message",
        None,
        _columns(link="account_id connection_id quota percent heard_at"),
    ),
    "entrances": Table(
        "opening questions and menu items as Instagram has them",
        None,
        _columns(link="account_id connection_id entrance failures try_at", business="labels asked"),
    ),
    "starts": Table(
        "which flows a person started",
        "contact_id",
        _columns(link="account_id contact_id flow_id media_id", person="first_at last_at"),
    ),
    "variants": Table(
        "which variant of a text was used last",
        "contact_id",
        _columns(link="account_id connection_id flow_id step contact_id used"),
    ),
    "totals": Table(
        "numbers per day",
        None,
        _columns(link="account_id connection_id flow_id version step media_id", business="day what n"),
    ),
    "month_totals": Table(
        "the sums of `totals` by month",
        None,
        _columns(derived="account_id connection_id month flow_id version step media_id what n days"),
    ),
    "schedules": Table(
        "when broadcasts are planned",
        None,
        _columns(link="account_id connection_id flow_id", business="timing due_at"),
    ),
    "broadcasts": Table(
        "broadcasts, with numbers of people alone",
        None,
        _columns(
            link="broadcast_id account_id connection_id flow_id version triggers looked_until",
            business="planned_at began_at reached skipped reason finished_at",
        ),
    ),
    "ledger": Table("the key of the hashes in tombstones", None, _columns(link="account_id", hidden="key")),
    "tombstones": Table(
        "people who were forgotten",
        None,
        _columns(
            link="account_id connection_id said_at erased_at opted_out purged_at",
            hidden="person",
        ),
    ),
    "deletions": Table(
        "receipts of what was deleted",
        None,
        _columns(
            link="deletion_id account_id scope cause subject_id part_of began_at meta meta_tries rows_gone_at"
            " ended_at",
            business="people events runs messages",
        ),
    ),
    "deletion_requests": Table(
        "Meta's requests to delete data",
        None,
        _columns(link="code account_id deletion_id asked_at"),
    ),
    "traces": Table("that bytes of deleted rows are to be removed", None, _columns(link="account_id since")),
    "consents": Table(
        "what was agreed to and taken back",
        "contact_id",
        _columns(link="consent_id account_id contact_id connection_id", person="what how at"),
    ),
    "legal_texts": Table(
        "texts of the legal pages",
        None,
        _columns(link="account_id page number", holder="body", business="effective_at made_at"),
    ),
    "retentions": Table(
        "what retention removed last", None, _columns(link="account_id began_at ended_at", business="gone")
    ),
    "notices": Table(
        "what needs the owner",
        None,
        _columns(link="account_id connection_id", business="code message fix since step"),
    ),
    "alerts": Table(
        "what the owner was mailed about",
        None,
        _columns(
            link="account_id connection_id open step gone_since",
            business="cause message",
            holder="mailed_at",
        ),
    ),
    "audit": Table(
        "who did what", None, _columns(link="id account_id kind", holder="actor action subject at")
    ),
}
