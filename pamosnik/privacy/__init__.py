"""Whose data is where."""
