"""Numbers counted anew, with a second pair of eyes.

`history` plays what may happen at shops through the real parts; `witness` keeps aside what is deleted on the way;
`counting` counts by docs/statistics.md what the rows tell; `places` reads every page, file and answer that shows
numbers. `python -m tests.recount` does it at full size.
"""
