"""Signing in: passwords, lock-outs, and the one way that every door uses."""
