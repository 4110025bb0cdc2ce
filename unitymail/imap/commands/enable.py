"""ENABLE (RFC 5161): extensions that change what the server says must be asked for.

A module whose extension can be enabled says so: `ENABLES = {"CONDSTORE": enable}`, where `enable(session)` does what
has to be done besides remembering the word, or is None.
"""

from __future__ import annotations

from unitymail.imap.registry import Done, command
from unitymail.imap.session import Session
from unitymail.imap.wire.lexer import BadSyntax, Reader

CAPABILITIES = ("ENABLE",)
MOST_WORDS = 100


@command("ENABLE")
async def enable(session: Session, reader: Reader) -> Done:
    words = [reader.atom().upper()]
    while reader.take(b" ") and not reader.at_end():
        if len(words) == MOST_WORDS:
            raise BadSyntax(f"ENABLE takes {MOST_WORDS} words at most")
        words.append(reader.atom().upper())
    reader.end()
    registry = session.door.registry
    known = registry.gathered("ENABLES")
    spelled = {offer.word.upper(): offer.word for offer in registry.capabilities}
    withheld = spelled.keys() - {word.upper() for word in registry.offered(session)}
    enabled = [w for w in dict.fromkeys(words) if w in known and w not in withheld and w not in session.enabled]
    for word in enabled:
        session.enabled.add(word)
        if known[word] is not None:
            known[word](session)
    session.send(b"* ENABLED%b\r\n" % b"".join(b" " + spelled.get(w, w).encode("ascii") for w in enabled))
    return Done("ENABLE completed")
