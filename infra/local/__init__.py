"""Kafka, InfluxDB, Prometheus and Alertmanager as plain processes on loopback, built once into a cache."""
