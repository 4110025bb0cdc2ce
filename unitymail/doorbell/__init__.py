"""The doorbell: hints that something changed, within a process and across processes."""
