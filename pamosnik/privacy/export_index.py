"""What people read first in an export: its page, its README.

The page needs nothing but itself: no script, no picture, no address of a server. What strangers wrote is escaped.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import jinja2

from pamosnik.privacy.export_manifest import Manifest

KINDS: Mapping[str, tuple[str, str]] = {
    "contacts": (
        "People",
        "Whoever wrote or commented, with tags and fields, and until when they may be written to.",
    ),
    "messages": ("Messages", "Conversations in both directions: what people wrote, and what they were sent."),
    "comments": ("Comments", "Comments under your posts, and the public replies to them."),
    "tags": ("Tags", "Each tag of each person, and since when they have it."),
    "fields": ("Fields", "Each answer that is remembered of each person, and when it was given."),
    "runs": ("Runs", "Who went through which flow, from when to when, and how it ended."),
    "events": ("Events", "Everything that Instagram told, and what Pamosnik made of it."),
    "queue": ("Queue", "Everything that left or is to leave, with what became of it."),
    "links": ("Links", "Tracked links that were sent, where they lead, and how often they were opened."),
    "codes": ("Codes", "Codes to give away: those that are left, and who was given which."),
    "consents": ("Consents", "What was agreed to and taken back, by you and by people, and when."),
    "flows": ("Flows", "The flows that are applied; as a flow file: flows.yaml."),
    "flow_versions": ("Versions of flows", "Every version of every flow that is still kept."),
    "flow_history": ("History of flows", "When flows were added, changed, paused, renamed and removed."),
    "broadcasts": ("Broadcasts", "When messages to many went out, and how many people they reached."),
    "statistics": ("Statistics", "Numbers per day, flow, step and post. They name nobody."),
    "stats": ("Statistics, summed up", "The same numbers as the command stats shows: a row for each flow."),
    "account": ("Account", "Who holds the account."),
    "connections": ("Instagram accounts", "The Instagram accounts that are connected."),
    "audit": ("Audit", "Who changed what, on the command line or on the page, and when."),
    "legal_texts": ("Legal pages", "Your own texts of the privacy policy and the terms, with their dates."),
    "deletions": ("Deletions", "Receipts of what was deleted, and when. They name nobody."),
}
"""Kind → what people call it, and what it is."""

TO_THE_PERSON: Mapping[str, tuple[str, str]] = {
    "contacts": ("You", "Your name and username, tags and answers, and until when you may be written to."),
    "messages": ("Messages", "What you wrote, and what you were sent."),
    "comments": ("Comments", "What you commented, and the public replies to it."),
    "tags": ("Tags", "Marks that were set for you, and when."),
    "fields": ("Answers", "Answers of yours that are remembered, and since when."),
    "runs": ("Conversations", "Which automatic conversations you had, from when to when."),
    "events": ("Events", "Everything that Instagram told of you, and what was made of it."),
    "queue": ("Sent", "Everything that was sent to you or is to be sent, with what became of it."),
    "links": ("Links", "Links that you were sent, where they lead, and how often and when they were opened."),
    "codes": ("Codes", "Codes that you were given."),
    "consents": ("Consents", "When you asked for no more messages, and when for messages again."),
}
"""The same, in the export of one person, who reads it."""

_SHOWN = ("started", "completed", "sent", "seen", "clicked", "replied")
"""Words of `stats` in the table of months."""

_README = """\
{title}

Made by Pamosnik {program} on {when}.

Open index.html in a browser: it says what is here.

  json/          each kind of data for programs, in the shapes of docs/json.md
  csv/           the same for spreadsheets (UTF-8, commas)
  data/          every table of the database row for row{import_it}
  manifest.json  all files with counts and SHA-256

Not inside:

{not_inside}
"""


def page(
    manifest: Manifest,
    names: Collection[str],
    months: Sequence[tuple[str, Mapping[str, int]]],
    zone: ZoneInfo,
) -> str:
    """`names`: of the person whose data it is. `months`: numbers of months, the newest first."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pamosnik.privacy", "export_pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files = {one.path for one in manifest.entries}
    kinds = [
        {
            "title": title,
            "says": says,
            "rows": f"{manifest.counts[kind]:,}",
            "files": [path for path in (f"csv/{kind}.csv", f"json/{kind}.json") if path in files],
        }
        for kind, (title, says) in (KINDS if manifest.person is None else TO_THE_PERSON).items()
        if kind in manifest.counts
    ]
    return environment.get_template("index.html").render(
        account=manifest.account,
        whole=manifest.person is None,
        names=names,
        igsids=() if manifest.person is None else manifest.person.igsids,
        when=_local(manifest.created_at, zone),
        program=manifest.program,
        kinds=kinds,
        has_flows="flows.yaml" in files,
        legal=sorted(path for path in files if path.startswith("legal/")),
        words=_SHOWN,
        months=[(month, [counts.get(word, 0) for word in _SHOWN]) for month, counts in months],
        not_inside=manifest.not_inside,
    )


def readme(manifest: Manifest) -> str:
    whole = manifest.person is None
    return _README.format(
        title=f"{'Export of' if whole else 'What is kept of you by'} {manifest.account.name}",
        program=manifest.program,
        when=f"{manifest.created_at:%Y-%m-%d %H:%M} UTC",
        import_it=" (pamosnik import reads it)" if whole else "",
        not_inside="\n".join(f"- {one}" for one in manifest.not_inside),
    )


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({zone.key})"
