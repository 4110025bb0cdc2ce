"""One file per kind of step, found by discovery."""
