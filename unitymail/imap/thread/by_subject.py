"""THREAD=ORDEREDSUBJECT (RFC 5256, 3): the first message of each base subject, and all later ones below it."""

from __future__ import annotations

from collections.abc import Sequence

from unitymail.imap.sort.order import ordered
from unitymail.imap.thread.forest import Forest
from unitymail.imap.thread.tied import Tied


def by_subject(tied: Tied, sent: Sequence[int]) -> Forest:
    """Arguments as those of `by_references`."""
    subjects = tied.subjects
    first: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for message in ordered([sent], [False]):
        root = first.setdefault(subjects[message], message)
        if root != message:
            children.setdefault(root, []).append(message)
    return Forest(len(tied), list(first.values()), children)
