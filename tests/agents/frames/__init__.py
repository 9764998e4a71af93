"""Typed frames."""
