"""The settings as frozen values: of this node (from its file) and of the site (from the directory)."""
