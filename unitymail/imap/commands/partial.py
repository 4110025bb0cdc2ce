"""PARTIAL (RFC 9394): pages of results. UID FETCH … (PARTIAL 1:100) is here, SEARCH RETURN (PARTIAL …) in `search`.

The page is counted among the messages that are there and that other modifiers leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unitymail.imap.fetch.modifiers import Asked, Modifier
from unitymail.imap.registry import Bad
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.partial import Page, page
from unitymail.imap.wire.sequence import Span

if TYPE_CHECKING:
    from unitymail.imap.session import Session
    from unitymail.imap.view import View


def partial(reader: Reader) -> Modifier:
    reader.space()
    wanted = page(reader)

    def narrow(view: View, spans: list[Span]) -> list[Span]:
        return on_page(spans, wanted)

    return Modifier(wanted, check=_check, narrow=narrow, last=True)


def _check(session: Session, asked: Asked) -> None:
    if not asked.by_uid:
        raise Bad("PARTIAL goes with UID FETCH")


def on_page(spans: list[Span], wanted: Page) -> list[Span]:
    """Those messages of the spans that are on the page."""
    first, behind = wanted.span(sum(end - begin for begin, end in spans))
    found: list[Span] = []
    passed = 0
    for begin, end in spans:
        low, high = max(begin, begin + first - passed), min(end, begin + behind - passed)
        if low < high:
            found.append((low, high))
        passed += end - begin
    return found


CAPABILITIES = ("PARTIAL",)
FETCH_MODIFIERS = {"PARTIAL": partial}
