"""Tests of flow files: conversations played on a stage of their own, and what was expected of them."""
