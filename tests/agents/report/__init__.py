"""The report, from a store to files."""
