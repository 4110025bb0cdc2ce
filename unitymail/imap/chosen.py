"""Which messages a command names: sequence numbers, UIDs or the saved result `$`, as half-open spans of the view.

Refuses to know what is done with them. UIDs that are not there are no error (RFC 3501 6.4.8), nor is an empty saved
result (RFC 5182 2.1); numbers beyond the last message are (9).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import Bad
from unitymail.imap.search import mask
from unitymail.imap.view import View
from unitymail.imap.wire.sequence import SequenceSet, Span, gathered

if TYPE_CHECKING:
    from unitymail.imap.session import Session


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


async def named_spans(session: Session, numbers: SequenceSet, *, by_uid: bool) -> list[Span]:
    """Those of the session's view; many are looked for in a thread."""
    return await _found(session, spans_of, numbers, by_uid)  # type: ignore[no-any-return]


async def named_uids(session: Session, numbers: SequenceSet, *, by_uid: bool) -> array[int]:
    """As `named_spans`."""
    return await _found(session, uids_of, numbers, by_uid)  # type: ignore[no-any-return]


async def _found(session: Session, find: Callable[..., Any], numbers: SequenceSet, by_uid: bool) -> Any:
    view = session.view
    effort = len(view) if numbers.dollar else len(numbers.ranges)
    return await reckon(session, effort, partial(find, view, numbers, by_uid=by_uid))
