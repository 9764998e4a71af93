"""Recorded data, read into the messages that would have come."""
