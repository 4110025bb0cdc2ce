"""Reading an account's messages into its full-text index, a few at a time, behind whatever sessions do.

Knows which contents are missing and which are gone, and how much of a message is read; refuses to know the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from unitymail.interfaces.errors import Trouble
from unitymail.interfaces.store import IContent
from unitymail.mail.part import Part
from unitymail.mail.searchable import enclosed_of, header_text, headers_of, texts_of
from unitymail.mail.structure import scan
from unitymail.mail.text import body_text, fold
from unitymail.store.access import guarded
from unitymail.store.fulltext.catalogue import BETWEEN, Text, Unusable
from unitymail.store.fulltext.full_text import NEVER, FullText
from unitymail.store.schema import UID_BITS, UID_MASK

if TYPE_CHECKING:
    from mmap import mmap

    from unitymail.store.account import Account

TURN_S = 1.0
CLEAR_EVERY_S = 600
"""What has left the account is looked for so often when nothing comes."""
BATCH = 20
"""Messages whose texts are put in together; the account is held while one is opened, not while it is read."""
PORTION = 512 * 1024
"""After so many characters they are put in, however few messages they are of: whoever searches meanwhile waits."""
LONGEST_PART = 1024 * 1024
MOST_TEXT = 2 * 1024 * 1024
"""Octets of a part, and characters of a message, that are read; what is longer is held in part only."""


def fill(account: Account, patience_s: float = TURN_S) -> bool:
    """Read for about so long; whether there is more to do."""
    full_text = account.full_text
    mark = _newest(account), int(account.now() // CLEAR_EVERY_S)
    if mark == full_text.filled_at:
        return False
    try:
        return _fill(account, full_text, time.monotonic() + patience_s, mark)
    except Unusable:
        full_text.filled_at = NEVER
        return True


def _fill(account: Account, full_text: FullText, end: float, mark: tuple[int, int]) -> bool:
    """What came since everything was held is all that is looked for, but for now and then."""
    newest, period = full_text.filled_at
    thoroughly = period != mark[1]
    there = _contents(account, NEVER[0] if thoroughly else newest)
    missing = full_text.missing(there)
    for texts in _portions(account, [there[content] for content in sorted(missing, reverse=True)]):
        full_text.add(texts)
        if time.monotonic() >= end:
            return True
    if thoroughly:
        full_text.remove(full_text.left_over(there, mark[0]))
    full_text.filled_at = mark
    return False


def clear(account: Account) -> None:
    """Take out now what the account has no more, filled or not."""
    full_text = account.full_text
    if full_text.exists:
        with suppress(Unusable):
            newest = _newest(account)
            full_text.remove(full_text.left_over(_contents(account), newest))


def _portions(account: Account, ids: list[int]) -> Iterator[list[Text]]:
    """The texts of these messages, a few at a time."""
    texts: list[Text] = []
    read = signs = 0
    for id in ids:
        text = _text_of(account, id)
        read += 1
        if text is not None:
            texts.append(text)
            signs += len(text.head) + len(text.body)
        if read == BATCH or signs >= PORTION:
            yield texts
            texts, read, signs = [], 0, 0
    yield texts


@guarded
def _newest(account: Account) -> int:
    """The newest content of the account: it grows with every message that comes."""
    with account.access.using() as index:
        return int(index.one("SELECT content FROM counters")[0])


@guarded
def _contents(account: Account, after: int = NEVER[0]) -> dict[int, int]:
    """{content: a message that has it} of all folders, for contents after that one."""
    with account.access.using() as index:
        if after < 0:
            return dict(index.all("SELECT content, id FROM messages CROSS JOIN facts USING (id)"))
        return dict(index.all("SELECT content, id FROM facts CROSS JOIN messages USING (id) WHERE content > ?", after))


def _text_of(account: Account, id: int) -> Text | None:
    """None when the message is gone meanwhile."""
    number, content = _opened(account, id)
    if content is None:
        return None
    try:
        return text_of(number, content.buffer)
    finally:
        content.close()


@guarded
def _opened(account: Account, id: int) -> tuple[int, IContent | None]:
    """The number of the content, and its octets."""
    with account.access.using() as index:
        folder = account.folder_of_row(index, id >> UID_BITS)
        row = index.one("SELECT content FROM facts WHERE id = ?", id)
        if folder is None or row is None:
            return 0, None
        try:
            return row[0], folder.content(id & UID_MASK)
        except Trouble:
            return 0, None


def text_of(content: int, buffer: bytes | mmap) -> Text:
    """What TEXT and BODY find in a message."""
    root = scan(buffer).root
    limit = _Limit()
    head = BETWEEN.join(limit.kept(_header(buffer, part)) for part in headers_of(root))
    body = BETWEEN.join(
        [
            *(limit.kept(_header(buffer, part)) for part in enclosed_of(root)),
            *(limit.kept(_body(buffer, part, limit)) for part in texts_of(root)),
        ]
    )
    return Text(content, head, body, limit.whole)


class _Limit:
    """How much more of a message may be held."""

    def __init__(self) -> None:
        self.left = MOST_TEXT
        self.whole = True

    def kept(self, text: str) -> str:
        if len(text) > self.left:
            text, self.whole = text[: self.left], False
        self.left -= len(text)
        return text


def _header(buffer: bytes | mmap, part: Part) -> str:
    return fold(header_text(buffer[part.start : part.body]))


def _body(buffer: bytes | mmap, part: Part, limit: _Limit) -> str:
    if part.size > LONGEST_PART or not limit.left:
        limit.whole = False
        return ""
    return fold(body_text(buffer, part))
