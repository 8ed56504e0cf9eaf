"""Two accounts in one home, and nothing of one is seen, counted, guessed or changed by the other."""
