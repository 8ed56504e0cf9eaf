"""Reactions, and what is done to the comment that started a run."""

from pamosnik.engine.working import Turn
from pamosnik.model.decision import Act
from pamosnik.model.outbox import Action
from pamosnik.model.step import At, React


def react(turn: Turn, step: React) -> None:
    """To the message that started the run."""
    origin = turn.run.origin
    if origin.comment_id is not None:
        turn.note(
            step.at, "skipped", "a comment started this run, and Instagram lets no app react to comments"
        )
    elif origin.message_id is None:
        turn.note(step.at, "skipped", "no message started this run")
    elif not turn.contact.window_open(turn.now):
        turn.note(step.at, "skipped", "the 24-hour window has closed")
    else:
        turn.effects.append(Act(step.at.path, Action.REACT, origin.message_id, step.emoji))
        turn.note(step.at, "done", step.emoji)


def on_comment(turn: Turn, at: At, action: Action) -> None:
    origin = turn.run.origin
    if origin.comment_id is None:
        turn.note(at, "skipped", "no comment started this run")
    elif origin.live:
        turn.note(at, "skipped", "Instagram does not allow it for comments on a live broadcast")
    else:
        turn.effects.append(Act(at.path, action))
        turn.note(at, "done")
