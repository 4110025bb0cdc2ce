"""What a door may let in. Each module answers one question with a verdict that carries its own reply."""
