"""Admissions and emergency contacts that are known elsewhere: read from files, and told on the topic `care`."""
