"""One file a target: see `fuzz`."""
