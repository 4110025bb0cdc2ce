"""The message actions, a file each, found by discovery."""
