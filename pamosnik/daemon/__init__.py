"""The one process: takes webhooks in (`web`), decides (`runner`), sends (`sender`), keeps house (`housekeeping`).

`main` puts them together; if one of them fails, all stop: half a daemon that still answers 200 would be worse.
"""
