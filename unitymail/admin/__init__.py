"""Administration: what can be done (operations), and the ways to ask for it."""
