"""Grafana's dashboards, written as typed Python and committed as JSON: `make dashboards`."""
