"""APPENDLIMIT (RFC 7889): how many octets a message may have, the same for all mailboxes."""

from __future__ import annotations

from unitymail.imap.registry import Capability
from unitymail.imap.session import Session
from unitymail.imap.upload import limit_of


def _octets(session: Session) -> bytes:
    return b"%d" % limit_of(session)


CAPABILITIES = (Capability("APPENDLIMIT", lambda session: True, limit_of),)
STATUS_ANYWHERE = {"APPENDLIMIT": _octets}
