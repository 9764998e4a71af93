"""Dead letters that can be worked with: what is open, what it was, sending it again, and leaving it be."""
