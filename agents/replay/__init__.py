"""Recorded or simulated events fed to the broker in the order in which they came, and what came of them."""
