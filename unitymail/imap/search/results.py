"""What a searching command says of what it found: `* SEARCH`, `* SORT` or `* ESEARCH`, and what `$` stands for then.

For SEARCH, SORT and the ESEARCH of many mailboxes alike. Refuses to know how things are found, and in which order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Literal

from unitymail.imap.reckoning import reckon
from unitymail.imap.registry import Bad
from unitymail.imap.search import live, mask
from unitymail.imap.search.found import Found, Matches, Ordered
from unitymail.imap.search.options import EVERYTHING, ReturnOptions, search_return_options
from unitymail.imap.view import View
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import BadSyntax

if TYPE_CHECKING:
    from unitymail.imap.session import Session

__all__ = ("Found", "Matches", "Ordered", "ReturnOptions", "answer", "saving", "search_return_options", "tell")

PORTION = 2_000


async def answer(
    session: Session, verb: Literal[b"SEARCH", b"SORT"], found: Found, options: ReturnOptions | None, *, by_uid: bool,
    modseq: bool = False,
) -> None:  # fmt: skip
    """Send what the client wants to hear of `found` (indexes of its view), and save it where it says so.

    modseq: the criteria ask for mod-sequences, so the highest one is told too (RFC 7162, 3.1.5; RFC 4731, 3.2).
    """
    view = session.view
    if options is not None and options.update and verb == b"SORT":
        live.refuse(session, "Sorted results cannot be followed")
    if options is None and verb == b"SEARCH" and session.rev2:
        options = EVERYTHING
    if options is None:
        await _plain(session, verb, found, by_uid=by_uid, modseq=modseq)
        return
    correlator = b"TAG " + response.quoted(session.tag)
    await tell(session, view, found, options, correlator, by_uid=by_uid, modseq=modseq)


async def tell(
    session: Session, view: View, found: Found, options: ReturnOptions, correlator: bytes, *, by_uid: bool, modseq: bool
) -> None:
    """Send the ESEARCH response, unless only SAVE is asked for, and save what is to be saved.

    correlator: what stands in its parentheses, `TAG "a1"` or more. `view` is the session's where SAVE is allowed.
    """
    if options.save:
        view.saved = await reckon(session, len(view), referred, found, options)
    if not options.silent:
        session.send(await reckon(session, len(view), _extended, view, found, options, correlator, by_uid, modseq))
        await session.drained()


@contextmanager
def saving(session: Session, options: ReturnOptions | None) -> Iterator[None]:
    """A searching command that was to save its result and ends with NO leaves an empty one (RFC 5182, 2.1)."""
    try:
        yield
    except (Bad, BadSyntax):
        raise
    except Exception:
        if options is not None and options.save and session.view is not None:
            session.view.saved = 0
        raise


async def _plain(session: Session, verb: bytes, found: Found, *, by_uid: bool, modseq: bool) -> None:
    """`* SEARCH 2 3 5`, also when nothing is found."""
    view = session.view
    numbers = await reckon(session, len(view), _numbers, view, found, by_uid)
    session.send(b"* " + verb)
    for begin in range(0, len(numbers), PORTION):
        portion = numbers[begin : begin + PORTION]
        session.send(b" %d" * len(portion) % tuple(portion))
        await session.breathe()
    if modseq and numbers:
        session.send(b" (MODSEQ %d)" % await reckon(session, len(view), highest_modseq, view, found.mask))
    session.send(b"\r\n")


def _numbers(view: View, found: Found, by_uid: bool) -> list[int]:
    return found.numbers(view, by_uid=by_uid)


def _extended(
    view: View, found: Found, options: ReturnOptions, correlator: bytes, by_uid: bool, modseq: bool
) -> bytes:
    items = [b"* ESEARCH (" + correlator + b")"]
    if by_uid:
        items.append(b"UID")
    number_of = view.uids.__getitem__ if by_uid else (1).__add__
    if len(found):
        low, high = found.ends()
        if options.min:
            items.append(b"MIN %d" % number_of(low))
        if options.max:
            items.append(b"MAX %d" % number_of(high))
    if options.count:
        items.append(b"COUNT %d" % len(found))
    if options.all and len(found):
        items.append(b"ALL " + found.set_octets(view, by_uid=by_uid))
    if options.partial is not None:
        page = found.page(*options.partial.span(len(found)))
        listed = page.set_octets(view, by_uid=by_uid) if len(page) else b"NIL"
        items.append(b"PARTIAL (%b %b)" % (options.partial.octets(), listed))
    if modseq and (told := referred(found, options)):
        items.append(b"MODSEQ %d" % highest_modseq(view, told))
    return b" ".join(items) + b"\r\n"


def referred(found: Found, options: ReturnOptions) -> int:
    """The messages that the answer is about, as a mask: what SAVE saves (RFC 5182, 2.1; RFC 9394, 3.2).

    MIN, MAX and PARTIAL alone or together stand for the messages that they name; all else for everything found.
    """
    narrow = options.min or options.max or options.partial is not None
    if options.count or options.all or not narrow or not len(found):
        return found.mask
    low, high = found.ends()
    sets = [1 << low] * options.min + [1 << high] * options.max
    if options.partial is not None:
        sets.append(found.page(*options.partial.span(len(found))).mask)
    return reduce(int.__or__, sets, 0)


def highest_modseq(view: View, chosen: int) -> int:
    """Of messages that there are."""
    return max(mask.chosen(chosen, view.modseqs))
