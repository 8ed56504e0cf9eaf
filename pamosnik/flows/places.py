"""Where a key belongs that was written somewhere else."""

OF_A_FLOW = ("only_if", "limits", "mode", "priority", "active", "state", "connections", "tests")
"""Keys of a flow that people write in a trigger or step."""
OF_A_STEP = (
    "send",
    "ask",
    "wait",
    "wait_for",
    "reply_publicly",
    "call",
    "give_code",
    "notify_me",
    "hand_over",
)
"""Steps with keys of their own, in which people write the `id` of the step."""


def of_a_flow(key: str) -> str | None:
    """What to do with a key that belongs to the flow."""
    if key not in OF_A_FLOW:
        return None
    return f"`{key}` belongs to the flow: begin a new line with it, as far from the left as `when:`."


def elsewhere(key: str, row: str) -> str | None:
    """What to do with a key that its row does not know, if it is known where it belongs."""
    if key == "id" and row in OF_A_STEP:
        return f"`id` stands beside `{row}`, not in it: begin a new line with it, as far from the left as `{row}:`."
    return of_a_flow(key)
