"""ID (RFC 2971): who we are, and who the client says it is.

Some capabilities are kept from some programs (`imap.hide_capability`). Most say who they are after they have signed in
and read CAPABILITY, so they are told when it becomes another.
"""

from __future__ import annotations

from unitymail import __version__
from unitymail.imap.registry import ANYWHERE, Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import BadSyntax, Reader

CAPABILITIES = ("ID",)
MAX_FIELDS = 30
MAX_VALUE = 1024


@command("ID", states=ANYWHERE)
async def identify(session: Session, reader: Reader) -> Done:
    before = session.capabilities()
    session.client_id = _fields(reader)
    if session.capabilities() != before:
        session.send(b"* %b\r\n" % session.capabilities())
    session.send(b'* ID ("name" "unitymail" "version" "%b")\r\n' % __version__.encode("ascii"))
    return Done("ID completed")


def _fields(reader: Reader) -> dict[str, str]:
    """What the client says of itself: field names in lower case; NIL values left out.

    A space inside of either parenthesis is let pass: aioimaplib writes both.
    """
    fields: dict[str, str] = {}
    if reader.take(b"NIL"):
        reader.end()
        return fields
    reader.expect(b"(")
    reader.take(b" ")
    count = 0
    separated = True
    while not reader.take(b")"):
        if not separated:
            reader.space()
        name = reader.string()
        reader.space()
        value = reader.nstring()
        count += 1
        if count > MAX_FIELDS or len(name) > 30 or len(value or b"") > MAX_VALUE:
            raise BadSyntax("An ID has at most 30 fields, names of 30 octets and values of 1024")
        fields[name.decode("utf-8", "replace").lower()] = (value or b"").decode("utf-8", "replace")
        separated = reader.take(b" ")
    reader.end()
    return {name: value for name, value in fields.items() if value}
