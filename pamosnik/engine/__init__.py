"""What should happen: who answers an event (`choose`), and what that does to a run (`decide`).

Pure: no clock, no database, no network, no randomness. The same input gives the same output, so a decision can be
tested with plain values and made again after a crash.
"""
