"""The whole product on real servers, watched by the real Prometheus and Alertmanager, with a handle on every fault."""
