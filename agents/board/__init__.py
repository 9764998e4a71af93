"""The board's process: keeps the latest status of every patient in memory and shows the triage list.

Sign-in comes with the next issue. Until then it listens on loopback only, and must not be exposed to a network.
"""
