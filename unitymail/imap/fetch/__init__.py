"""FETCH: what is asked becomes a plan once, and the plan is carried out block by block.

``grammar`` reads the attribute list into items (``items/``, one file a family, found by discovery); ``plan`` arranges
them into one line template; ``index_only`` answers from ready-made rows, ``from_files`` from the messages themselves.
"""
