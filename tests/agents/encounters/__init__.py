"""Encounters out of files."""
