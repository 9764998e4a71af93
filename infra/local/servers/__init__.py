"""The servers, each a context manager on ports and data of its own, the same after `stop` and `start`."""

from infra.local.servers.influxdb import InfluxDB
from infra.local.servers.kafka import Kafka
from infra.local.servers.prometheus import Alertmanager, NodeExporter, Prometheus

__all__ = ["Alertmanager", "InfluxDB", "Kafka", "NodeExporter", "Prometheus"]
