"""Frames as files for analysts: what leaves, under which names, written whole or not at all."""
