"""What each step does, in the words of the reference and of editors."""

STEP_DOCS = {
    "reply_publicly": "Answers the comment that started the run, in public.",
    "send": "Sends a message. Never waits. Each kind of content is a message of its own: pictures, video, sound, file"
    " and post leave before the text, cards and heart after it; a text with buttons or chips comes last. After a"
    " comment the text comes first.",
    "ask": "Sends a question and waits for the answer.",
    "wait": "A pause that survives restarts.",
    "wait_for": "Waits until the person writes, taps or clicks, or has a tag; sends nothing. A tag they have already"
    " and a link they have clicked in this run are not waited for. After a tap the steps of the button come first, if"
    " it has any, then the next step. A click or a tag opens no 24-hour window.",
    "choose": "Takes the first branch whose conditions hold.",
    "split": "Sends people different ways, by chance. Everybody keeps their way: it depends on who they are, on the"
    " flow and on the step's `id` (without one on its place: give it an `id` before you move it), not on when they"
    " come. The statistics count every way apart, under its name.",
    "tag": "Gives tags.",
    "untag": "Takes tags away.",
    "set": "Writes custom fields.",
    "add": "Adds to number fields; a negative number takes away. A field without a value counts from 0.",
    "clear": "Empties custom fields.",
    "give_code": "Gives one code from a pool. Asked again, a person gets the same code, from every flow. `{code}` is"
    " the code they were given last, also in later texts. When none is left: `if_empty`, then the next step.",
    "goal": "Counts a goal.",
    "run": "Goes on in another flow, and does not come back.",
    "again": "Goes back to an earlier step of this flow, the one with this `id`, at most so often in one run; after"
    " that the next step follows. A question that is asked again takes the new answer.",
    "stop": "Ends the run here.",
    "opt_out": "Does what the word STOP does: nothing more is sent to this person until they write START, not even"
    " what this flow has not sent yet. Says `says.stopped` if their window is open, and ends all their runs.",
    "call": "Asks a service of yours and waits for its answer. Without one, or with one of 500 and above, it is"
    " repeated three times with the same `Pamosnik-Id`. Any answer but 2xx fails, and so does one that does not fit"
    " `save`.",
    "notify_me": "Mails you, when a mail server is set; the flow does not wait for it. It is tried for two days."
    " A crash can repeat a mail.",
    "react": "Reacts with an emoji to the message that started the run; skipped in runs that something else started.",
    "hide_comment": "Hides the comment that started the run; only who wrote it still sees it. Skipped in other runs."
    " What the steps before it say goes first.",
    "delete_comment": "Deletes the comment that started the run, for good. Skipped in other runs. What the steps"
    " before it say goes first; after it Instagram takes no private message any more.",
    "forget_me": "Erases everything that is known about this person, after asking `says.forget_sure` with two chips."
    " A tap or a typed yes says `says.forgotten` and deletes; a no, or anything else, deletes nothing, and the next"
    " step follows; after an hour without an answer the run ends. Whoever writes again later is a new person.",
    "hand_over": "A human takes over; automation stops for this person for a while. You get a mail with the note"
    " when a mail server is set. When the pause is over, the next step follows; where nothing is to follow, write"
    " `- stop` after it.",
}
