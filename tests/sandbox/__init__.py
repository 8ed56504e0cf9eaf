"""The fake Instagram, asked over real HTTP."""
