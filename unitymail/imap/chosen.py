"""Which messages a command names: sequence numbers or UIDs, as half-open spans of the session's view.

Refuses to know what is done with them. UIDs that are not there are no error (RFC 3501 6.4.8); numbers are (9).
"""

from __future__ import annotations

from array import array

from unitymail.imap.registry import Bad
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import SequenceSet, Span, gathered
from unitymail.interfaces.store import Snapshot


def spans_of(view: View, numbers: SequenceSet, *, by_uid: bool) -> list[Span]:
    if numbers.dollar:
        raise Bad("There is no saved search result")
    if by_uid:
        return numbers.spans_of_uids(view.uids)
    if numbers.beyond(len(view)):
        raise Bad(f"There are only {len(view)} messages")
    return numbers.spans_of_numbers(len(view))


def uids_of(view: View, numbers: SequenceSet, *, by_uid: bool) -> array[int]:
    return gathered(view.uids, spans_of(view, numbers, by_uid=by_uid))


def are_gone(snapshot: Snapshot, view: View, uids: array[int]) -> bool:
    """Whether some of these messages of the view have left the folder, which the client cannot know yet."""
    return snapshot.uids != view.uids and not set(uids).issubset(snapshot.uids)
