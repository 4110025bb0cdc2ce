"""Whom messages are for: users, contacts, lists, and the rules that bind them. Knows nothing of how they are stored."""
