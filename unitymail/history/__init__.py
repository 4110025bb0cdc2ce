"""What happened to each message, kept for some days. Refuses to know why."""
