"""Which messages a command names: sequence numbers, UIDs or the saved result `$`, as half-open spans of the view.

Refuses to know what is done with them. UIDs that are not there are no error (RFC 3501 6.4.8), nor is an empty saved
result (RFC 5182 2.1); numbers beyond the last message are (9).
"""

from __future__ import annotations

from array import array

from unitymail.imap.registry import Bad
from unitymail.imap.search import mask
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import SequenceSet, Span, gathered
from unitymail.interfaces.store import Snapshot


def spans_of(view: View, numbers: SequenceSet, *, by_uid: bool) -> list[Span]:
    if numbers.dollar:
        return mask.spans(view.saved)
    if by_uid:
        return numbers.spans_of_uids(view.uids)
    if numbers.beyond(len(view)):
        raise Bad(f"There are only {len(view)} messages")
    return numbers.spans_of_numbers(len(view))


def uids_of(view: View, numbers: SequenceSet, *, by_uid: bool) -> array[int]:
    if numbers.dollar:
        return array(view.uids.typecode, mask.chosen(view.saved, view.uids))
    return gathered(view.uids, spans_of(view, numbers, by_uid=by_uid))


def are_gone(snapshot: Snapshot, view: View, uids: array[int]) -> bool:
    """Whether some of these messages of the view have left the folder, which the client cannot know yet."""
    return snapshot.uids != view.uids and not set(uids).issubset(snapshot.uids)
