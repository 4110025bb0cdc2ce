"""SORT: the criteria a client names (``program``), the order they put messages in (``order``), and the orders that are
remembered so that the next question need not sort again (``remembered``); ``arrange`` asks the store for what is
compared and puts it all together.
"""
