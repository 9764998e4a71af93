"""The vocabulary of Sonevakt: every message, every topic, and how they are read and written."""
