"""What the doors do, in numbers, for Prometheus: counted (`interfaces/metrics`), added up over processes, shown."""
