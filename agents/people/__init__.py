"""People: who signs in on the board, what they may do there, and what ends it."""
