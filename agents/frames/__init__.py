"""Typed frames for analysts, the same from InfluxDB and SQLite, with corrections and retractions already followed."""
