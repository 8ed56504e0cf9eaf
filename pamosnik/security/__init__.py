"""Secrets: password hashes, the key ring that seals tokens, and random tokens. Nothing here logs or prints."""
