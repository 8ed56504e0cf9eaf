"""What the answers of the API look like, as JSON Schema: one schema for each thing of docs/json.md."""

from collections.abc import Mapping, Sequence

from pamosnik.flows.plan import ChangeKind
from pamosnik.model.event import EventKind, Verdict
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.run import RunStatus
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.deletions import MetaTold

Schema = dict[str, object]


def text(about: str = "", *, null: str | None = None, form: str | None = None) -> Schema:
    """`null`: what it means; None: it is always there."""
    return _plain("string", about, null, {} if form is None else {"format": form})


def number(about: str = "", *, null: str | None = None) -> Schema:
    return _plain("integer", about, null, {})


def yes_or_no(about: str = "", *, null: str | None = None) -> Schema:
    return _plain("boolean", about, null, {})


def time(about: str = "", *, null: str | None = None) -> Schema:
    return text(about, null=null, form="date-time")


def one_of(words: Sequence[str], about: str = "") -> Schema:
    return {**text(about), "enum": list(words)}


def array(of: Schema, about: str = "") -> Schema:
    return {"type": "array", "items": of, **_about(about)}


def named(of: Schema, about: str = "") -> Schema:
    """An object whose keys are names that somebody gave."""
    return {"type": "object", "additionalProperties": of, **_about(about)}


def thing(**keys: Schema) -> Schema:
    """An object that always has these keys; more of them may come."""
    return {"type": "object", "properties": keys, "required": list(keys)}


def also(shape: str, **keys: Schema) -> Schema:
    """A thing of `SHAPES`, with these keys, too."""
    return {"allOf": [ref(shape), thing(**keys)]}


def ref(shape: str) -> Schema:
    return {"$ref": f"#/components/schemas/{shape}"}


def _plain(kind: str, about: str, null: str | None, more: Schema) -> Schema:
    if null is None:
        return {"type": kind, **more, **_about(about)}
    return {"type": [kind, "null"], **more, **_about("; ".join(filter(None, (about, f"null: {null}"))))}


def _about(about: str) -> Schema:
    return {"description": about} if about else {}


_PERSON = thing(username=text(null="not known yet"), igsid=text(null="only the username is known"))
_TRACE = array(array(text()), "Checks in their order: what was looked at, the result, details.")
_COUNTS = {
    "started": number("Runs that began."),
    "completed": number("Runs that reached a goal or, in flows without goals, the end."),
    "sent": number("Runs with a message that Instagram accepted."),
    "seen": number("Runs with a message that was seen."),
    "clicked": number("Runs with a click on a tracked link or a tap on a button."),
    "replied": number("Runs that were answered."),
    "failed": number("Runs with a message that failed."),
    "expired": number("Runs that nobody answered in time."),
}
_CAME_IN = {
    "received": number("Comments and messages of people."),
    "answered": number("Of these, started a flow or went on in one."),
}
_ON = text("Username of the connected account.", null="it is gone")
_NOW_OR_NEVER = "never"
_STATE = {
    "state": one_of(("live", "paused")),
    "paused_at": time("Of a pause by somebody.", null="there is none"),
    "paused_by": text(null="nobody"),
    "paused_in_file": yes_or_no("Its file says `state: paused`."),
}
_BROADCAST = thing(
    flow=text(),
    connection=_ON,
    version=text(null="it never began"),
    planned_at=time(),
    began_at=time(null="it did not"),
    finished_at=time(null="people are being chosen"),
    reached=number("Runs that began."),
    skipped=named(number(), "Why → how many people."),
    reason=text(null="nothing ended it early"),
)
_TOLD = thing(code=text(), message=text(), fix=text(), since=time(null="not known"))
_PLANNED = thing(flow=text(), connection=_ON, at=time())
_STOCK = {
    "keep": text("Like `30d`, or `forever`."),
    "source": text("Where that is set."),
    "stored": number("Rows."),
    "goes": number("Rows that would go now."),
    "oldest": time(null="there are none"),
}

SHAPES: Mapping[str, Schema] = {
    "Error": thing(error=thing(message=text("What happened."), hint=text("What to do.", null="nothing"))),
    "BadFiles": thing(
        error=thing(message=text("What happened."), hint=text("What to do.", null="nothing")),
        problems=array(ref("Problem"), "What is wrong with the files, and where."),
    ),
    "Event": thing(
        id=text("Pamosnik's id."),
        kind=one_of([kind.value for kind in EventKind]),
        **{"from": _PERSON},
        text=text("What was written, or the label that was tapped.", null="nothing was"),
        at=time("When it happened; when it arrived, where Meta did not say."),
        verdict=one_of([verdict.value for verdict in Verdict]),
        flow=text("That it started, went on in, or came closest to.", null="none"),
        reason=text("Why, in a sentence.", null="the verdict says it all"),
        run=text(null="none"),
        comment_id=text("Meta's.", null="it is no comment"),
        message_id=text("Meta's.", null="it is no message"),
        seen_times=number("How often Meta delivered it."),
        recovered=yes_or_no("Found by reading, because no webhook told it in time."),
        connection=text("Username of the connected account."),
    ),
    "Link": thing(
        name=text(null="it has none"),
        address=text("Where it leads."),
        step=text("Path of the step that sent it."),
        clicks=number(),
        first_click_at=time(null=_NOW_OR_NEVER),
        last_click_at=time(null=_NOW_OR_NEVER),
    ),
    "WholeEvent": also("Event", trace=_TRACE),
    "ReplayedEvent": also(
        "Event", tried=yes_or_no("False: nothing came of it (or would), and `reason` says why.")
    ),
    "Why": also(
        "Event",
        sentence=text("What happened to it."),
        checks=_TRACE,
        queue=array(ref("QueueItem"), "What it sent, the oldest first."),
        links=array(ref("Link")),
        advice=text("What would answer it.", null="a flow took it"),
    ),
    "Run": thing(
        id=text(),
        flow=text(),
        version=text("That it keeps to its end."),
        contact=_PERSON,
        status=one_of([status.value for status in RunStatus]),
        step=text("Path of the step it last came to.", null="none yet"),
        due_at=time("When its next wait ends.", null="it waits for no time"),
        started_at=time(),
        finished_at=time(null="it goes on"),
        reason=text("Why it failed, stopped or expired.", null="it did not"),
        connection=text("Username of the connected account."),
    ),
    "WholeRun": also(
        "Run",
        turns=array(
            thing(
                turn=number(),
                stimulus=text("What moved it on, like `Started`."),
                event=text(null="none did"),
                trace=_TRACE,
                at=time(),
            )
        ),
        queue=array(ref("QueueItem")),
        links=array(ref("Link")),
    ),
    "QueueItem": thing(
        id=text(),
        kind=one_of([kind.value for kind in ItemKind]),
        action=text("Of a reaction, or a deed under a comment.", null="it is neither"),
        to=thing(
            username=text(null="not known yet"),
            igsid=text(),
            comment_id=text(null="it answers no comment"),
        ),
        flow=text(null="no flow sends it"),
        status=one_of([status.value for status in ItemStatus]),
        due_at=time("Not before."),
        deadline=time("Too late from then on.", null="never"),
        attempts=number("Requests made."),
        reason=text("Why it waits, or how it ended.", null="nothing to say"),
        expected_at=time("When it leaves at Meta's pace.", null="the pace does not hold it"),
        message_id=text("Meta's.", null="none was given"),
        connection=text("Username of the connected account."),
        run=text(null="no run sends it"),
    ),
    "Contact": thing(
        id=text(),
        username=text(null="not known yet"),
        igsid=text(),
        name=text(null="not known"),
        follows_me=yes_or_no(null="not known"),
        verified=yes_or_no(null="not known"),
        followers=number(null="not known"),
        facts_at=time("When Instagram told these.", null="never"),
        facts_problem=text("Why it did not.", null="it did, or was not asked"),
        tags=array(text()),
        fields=named(text()),
        window_open_until=time(null="it was never open"),
        opted_out=yes_or_no(),
        unreachable=yes_or_no(),
        paused_until=time(null="automation goes on"),
        connection=_ON,
    ),
    "ChangedContact": also("Contact", changed=yes_or_no("False: it was so already.")),
    "Flow": thing(
        flow=text("Its id."),
        title=text(),
        version=text(),
        **_STATE,
        people=number("In it now."),
        applied_at=time(),
        rolled_back_at=time(null="the files say what is applied"),
    ),
    "WholeFlow": thing(
        flow=text("Its id."),
        title=text(),
        version=text(),
        **_STATE,
        rolled_back_at=time(null="the files say what is applied"),
        body={"type": "object", "description": "The flow with its short forms written out."},
        bound_posts=named(text(), "Connection → what `post: next` came to mean."),
        planned=array(_PLANNED),
        broadcasts=array(_BROADCAST, "The newest ten."),
    ),
    "FlowChange": thing(
        at=time(),
        flow=text("Its id then."),
        change=text("`added`, `changed`, `paused` …"),
        version=text("Applied afterwards.", null="none"),
        former_id=text("Of a renamed flow.", null="it was not renamed"),
        note=text(null="nobody wrote one"),
        by=text(),
        flow_now=text("Its id now."),
    ),
    "FlowSteps": thing(
        flow=text(),
        version=text(),
        came_in=number("Runs that came to the first step."),
        steps=array(
            thing(
                step=text("Its path."),
                what=text(),
                reached=number("Runs that came to it, each once."),
                share=_plain("number", "Of those that came in.", "it cannot be told", {}),
                here=number("People who wait there now."),
                lost=number("Came there and went no further.", null="it cannot be told"),
            )
        ),
    ),
    "PausedFlow": thing(
        flow=text(), title=text(), **_STATE, changed=yes_or_no(), people=number("In it now.")
    ),
    "Problem": thing(
        file=text(),
        line=number(),
        column=number(),
        severity=one_of(("error", "warning", "note")),
        code=text(),
        message=text(),
        hint=text(null="nothing to add"),
    ),
    "Plan": thing(
        changes=array(
            thing(
                flow=text(),
                change=one_of([kind.value for kind in ChangeKind]),
                title=text(),
                was=text("Its id until then.", null="the same"),
                version=text(null="it goes"),
                version_before=text(null="it is new"),
                paused=yes_or_no(),
                lines=array(text(), "What changes inside it."),
                people=number("In it now."),
                standing=array(
                    thing(version=text(), path=text(), step=text(), waits_for=text(), people=number()),
                    "Where they are.",
                ),
                what_happens=array(text(), "To them."),
                rolled_back_at=time(null="it was not"),
                stays_rolled_back=yes_or_no(),
            )
        ),
        counts=named(number(), "Kind of change → how many."),
        order=array(text(), "All flows that are applied afterwards."),
        moved=array(thing(flow=text(), after=text(null="it stands first"))),
        settings_changed=yes_or_no(),
        settings=array(thing(setting=text(), before=text(null="not there"), after=text(null="not there"))),
        codes=array(thing(pool=text(), new=number(), withdrawn=number())),
        problems=array(ref("Problem")),
    ),
    "RevisedPlan": also("Plan", revision=text("For `flows/apply`.")),
    "AppliedPlan": also("Plan", applied=yes_or_no()),
    "Stats": thing(
        flows=array(
            thing(
                flow=text(),
                **_COUNTS,
                goals=named(number(), "Goal → runs."),
                splits=named(thing(started=number(), completed=number()), "Way of a `split` → runs."),
                skipped=named(number(), "Why → people whom a broadcast did not reach."),
                connection=text(),
            )
        )
    ),
    "StatsByDay": thing(
        # What came in belongs to no flow: with `flow` it is not told.
        days=array({**thing(day=text(form="date"), **_CAME_IN, **_COUNTS), "required": ["day", *_COUNTS]})
    ),
    "StatsByPost": thing(
        posts=array(
            thing(
                post=text("Meta's id."),
                caption=text("Its beginning.", null="Instagram did not tell"),
                permalink=text(null="Instagram did not tell"),
                posted_at=time(null="Instagram did not tell"),
                comments=number("By people, each once."),
                matched=number("Started a flow or went on in one."),
                **_COUNTS,
                connection=_ON,
            )
        )
    ),
    "StatsByStep": thing(
        steps=array(thing(flow=text(), version=text(), step=text("Its path."), reached=number("Runs.")))
    ),
    "StatsByLink": thing(
        links=array(
            thing(
                flow=text(),
                link=text("Its name; without one the host that it leads to."),
                messages=number("That were sent with it."),
                people=number("Who clicked, each once per link they were sent."),
                clicks=number(),
                previews=number("Visits of machines."),
                connection=_ON,
            )
        )
    ),
    "Status": thing(
        healthy=yes_or_no("There are no problems."),
        daemon=thing(
            running=yes_or_no(),
            since=time(null="it does not run"),
            public_address=text(null="nowhere that is known"),
        ),
        connections=array(ref("Connection")),
        queue=thing(
            queued=number(),
            sending=number(),
            unknown=number(),
            held=number(),
            next_due_at=time(null="nothing waits"),
            last_due_at=time("When the last one will be out.", null="nothing waits"),
            will_expire=number("Too late at Meta's pace."),
        ),
        events=thing(last_at=time(null="nothing came in"), pending=number("Wait for their turn.")),
        broadcasts=thing(planned=array(_PLANNED), latest=array(_BROADCAST)),
        problems=array(_TOLD),
        notes=array(_TOLD, "Worth a look, and perhaps nothing."),
    ),
    "Connection": thing(
        username=text(),
        ig_id=text(),
        status=one_of([status.value for status in ConnectionStatus]),
        token_expires_at=time(null="there is no login"),
        scopes=array(text()),
        connected_at=time(),
        reason=text("Why it is not active.", null="it is"),
        delete_after=time("When its data will be deleted.", null="it stays"),
    ),
    "Account": thing(
        id=text(),
        email=text(form="email"),
        name=text(),
        timezone=text(),
        connections=array(text(), "Usernames."),
        created_at=time(),
        adult_stated_at=time("When it was stated that the holder is an adult.", null="it was not"),
        sessions=number("Open logins at the status page."),
    ),
    "Noted": thing(
        at=time(),
        kind=one_of(("done", "agreed")),
        what=text("Like `flows apply`, or what was agreed to."),
        by=text(),
        subject=text("An id of Pamosnik's own.", null="the account itself"),
    ),
    "Retention": thing(
        kinds=array(thing(kind=text(), **_STOCK)),
        fields=array(thing(field=text(), **_STOCK)),
        last={
            "description": "When it was done last; null: never.",
            "anyOf": [
                thing(began_at=time(), ended_at=time(null="it goes on"), gone=named(number())),
                {"type": "null"},
            ],
        },
    ),
    "Receipt": thing(
        id=text(),
        scope=one_of(("person", "connection", "account")),
        cause=text(),
        began_at=time(),
        ended_at=time(null="it is under way"),
        people=number(),
        events=number(),
        runs=number(),
        messages=number(),
        meta=one_of([told.value for told in MetaTold], "Whether Meta was told that no webhooks are wanted."),
    ),
}
