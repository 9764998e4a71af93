"""Dashboards asked as Grafana asks them, where there is no Grafana."""
