"""A BINARYMIME message as text, before it is kept: nobody after the door ever meets a binary one (RFC 3030 3).

Knows where the octets come from and go to; refuses to know what becomes base64 (`mail.recoding`). Blocking.
"""

from __future__ import annotations

from unitymail.interfaces.spool import IIncoming, ISpool
from unitymail.mail.envelope import Body
from unitymail.mail.recoding import Hindrance, plan, written
from unitymail.mail.reply import Reply
from unitymail.mail.structure import scan
from unitymail.mail.windows import let_go

CANNOT_ENCODE: dict[Hindrance, Reply] = {
    hindrance: Reply(554, "5.6.3" if hindrance is Hindrance.SEALED else "5.6.0", f"The message has {hindrance.value}")
    for hindrance in Hindrance
    if hindrance is not Hindrance.EIGHT_BIT
}


def without_binary(spool: ISpool, raw: IIncoming, trace: str) -> tuple[IIncoming, Body] | Reply:
    """The message anew, under `trace`, and its BODY; or why it cannot be. `raw` is forgotten: a large file takes time.

    Raises Trouble as the spool does.
    """
    try:
        return _encoded(spool, raw, trace)
    finally:
        raw.abandon()


def _encoded(spool: ISpool, raw: IIncoming, trace: str) -> tuple[IIncoming, Body] | Reply:
    with raw.content() as buffer:
        made = plan(buffer, scan(buffer), eight_bit=True)
        if isinstance(made, Hindrance):
            return CANNOT_ENCODE[made]

        def read(start: int, end: int) -> bytes:
            octets: bytes = buffer[start:end]
            let_go(buffer, start, end)
            return octets

        text: IIncoming = spool.receive(trace)
        try:
            for octets in written(made, read):
                text.write(octets)
        except BaseException:
            text.abandon()
            raise
    return text, "8bitmime" if made.eight_bit else "7bit"
