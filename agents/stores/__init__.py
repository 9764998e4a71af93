"""Where measurements and decisions are kept for charts and analysts: one port, InfluxDB and SQLite behind it."""
