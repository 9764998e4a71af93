"""The council's file."""
