"""What the doors do, in numbers, for prometheus (`interfaces/metrics`)."""
