"""THREAD: how messages are linked (``links``, ``references``), or grouped by subject (``by_subject``), and how threads
are spelled (``spelling``). All pure: positions and numbers in, positions out; ``commands.thread`` asks the store.
"""
