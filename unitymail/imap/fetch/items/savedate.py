"""SAVEDATE (RFC 8514): when the message came into this mailbox."""

from __future__ import annotations

from time import gmtime

from unitymail.imap.fetch.attribute import FromIndex, Item, attribute
from unitymail.imap.wire.lexer import MONTHS, Reader


def _date_time(seconds: int) -> bytes:
    at = gmtime(seconds)
    month = MONTHS[at.tm_mon - 1].capitalize()
    return (
        f'"{at.tm_mday:2d}-{month}-{at.tm_year:04d} {at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d} +0000"'
    ).encode("ascii")


SAVEDATE = FromIndex(b"SAVEDATE", "saved", _date_time)


@attribute("SAVEDATE")
def savedate(reader: Reader, name: str) -> tuple[Item, ...]:
    return (SAVEDATE,)
