"""Sandbox and daemon in one place: the demo, and the sandbox on its own."""
