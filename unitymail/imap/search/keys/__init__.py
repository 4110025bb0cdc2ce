"""The search keys, one file a family; every module here registers its names when it is imported."""
