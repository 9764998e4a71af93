"""What earlier versions wrote, kept for ever: every later version must read it.

`messages/N` holds one message of every kind as schema version N wrote it, `states/N` encoded patients' states of state
version N, each beside what it must still mean, and `states/N/fields.txt` the fields of everything that a state holds.
All of it is simulated. MANIFEST holds every file's digest: files are added, never changed and never taken away.

Where a version changes, `python -m tests.earlier.write` adds the folders of the new one. It writes over nothing.
"""
