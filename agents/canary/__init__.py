"""Canary: patients who are nobody, by whose reds the alarm path proves itself, and a heartbeat that says so."""
