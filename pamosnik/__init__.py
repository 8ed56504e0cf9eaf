"""Pamosnik runs a small business's Instagram conversations from its own machine."""

__version__ = "0.1.0"
