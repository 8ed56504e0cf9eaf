"""One module per noun. Each has `register(app)`; heavy imports stand inside the commands."""
