"""Faults on the real servers: what is done to the product, and the proof that nothing came of it."""
