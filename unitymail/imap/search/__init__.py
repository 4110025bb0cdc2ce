"""SEARCH: keys become a tree of frozen values, and the tree is answered from the cheapest source that can.

``grammar`` reads the keys (``keys/``, one file a family, found by discovery); ``tree`` joins them; ``evaluate`` asks
the view, the index and at last the messages, each only about what the sources before it left open. What the client
hears of it is ``results``, by the ``options`` it asked for; ``live`` are results that it follows.
"""
