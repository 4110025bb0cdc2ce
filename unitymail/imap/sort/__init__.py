"""SORT: the criteria a client names (``program``), what they compare (``columns``), the order they put messages in
(``order``), and the orders that are remembered so that the next question need not sort again (``remembered``);
``arrange`` puts it all together. THREAD reads and remembers with the same means.
"""
