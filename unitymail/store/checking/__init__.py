"""What is inconsistent in a mailbox is found, and mended when asked to, while clients work in it.

One kind of look a function, gathered by subject: ``database``, ``rows``, ``totals``, ``directories``, ``names``,
``files``, ``contents``, ``kept``, ``around``. ``examination`` runs them all, in the order in which one prepares the
ground for the next, each under the write lock for as long as it takes.
"""

from unitymail.store.checking.examination import Examined, examine
from unitymail.store.checking.problem import Finding

__all__ = ["Examined", "Finding", "examine"]
