"""Replay: what was recorded, once more, with other flows.

The same events are played twice by the engine, the store and the outbox of production: with the applied flows, and
with what would be applied. Both begin with what was known before the first event, so what differs is due to the flows
and not to what happens to be stored by now. Nobody is asked and nothing leaves the machine: Instagram accepts every
message, webhooks answer nothing, profiles are as they are known. Ids come from what they belong to, so a flow that
does one thing more does not shift the chance of all that follows.

`record` reads the home, `playing` plays, `comparing` compares (pure), `report` tells. Both databases are in memory:
nothing of it is ever on a disk.
"""
