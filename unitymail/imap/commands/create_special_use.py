"""CREATE-SPECIAL-USE (RFC 6154, 3): a folder is made for a purpose.

Who has the use already gives it away: there is one folder for drafts, so that clients need not choose.
"""

from __future__ import annotations

from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import BadSyntax, Reader

CAPABILITIES = ("CREATE-SPECIAL-USE",)
MOST_USES = 20


def _uses(session: Session, reader: Reader) -> str:
    """` (\\Drafts \\Sent)`, with a space between the uses; "" for none."""
    reader.space()
    reader.expect(b"(")
    uses: list[str] = []
    while not reader.take(b")"):
        if uses:
            reader.space()
        reader.expect(b"\\")
        uses.append("\\" + reader.atom())
        if len(uses) > MOST_USES:
            raise BadSyntax(f"A mailbox cannot have more than {MOST_USES} uses")
    return " ".join(uses)


CREATE_PARAMETERS = {"USE": _uses}
