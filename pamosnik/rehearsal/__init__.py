"""Sandbox and daemon in one place: the demo, the stage under a clock that is moved, the chat, the sandbox alone."""
