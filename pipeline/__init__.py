"""The decisions, pure: no clock, network, file, environment or log."""
