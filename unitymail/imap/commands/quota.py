"""QUOTA (RFC 9208): how much the account holds, and how much it may. The administrator sets the limit.

There is one quota root, "", for all mailboxes. STORAGE is the receive quota; MESSAGE has no limit but the one that is
in the protocol: UIDs have 32 bits, and the RFC wants such limits told (3.2).
"""

from __future__ import annotations

from unitymail.imap.registry import Done, No, command
from unitymail.imap.session import Session
from unitymail.imap.wire import response
from unitymail.imap.wire.lexer import Reader
from unitymail.imap.wire.sequence import MAX_NUMBER
from unitymail.interfaces.store import IAccount

CAPABILITIES = ("QUOTA", "QUOTA=RES-MESSAGE", "QUOTA=RES-STORAGE")
STATUS_ITEMS = {"DELETED-STORAGE": lambda status: b"%d" % status.deleted_size}
ROOT = b""
UNIT = 1024
MOST = 2**63 - 1


@command("GETQUOTA")
async def get_quota(session: Session, reader: Reader) -> Done:
    root = reader.astring()
    reader.end()
    _require_root(root)
    session.send(await session.run(_quota, session.account))
    return Done("GETQUOTA completed")


@command("GETQUOTAROOT")
async def get_quota_root(session: Session, reader: Reader) -> Done:
    """The mailbox need not exist (RFC 9208, 4.1.2)."""
    name = reader.mailbox()
    reader.end()
    quota = await session.run(_quota, session.account)
    session.send(b'* QUOTAROOT %b ""\r\n%b' % (response.mailbox(name, utf8=session.utf8), quota))
    return Done("GETQUOTAROOT completed")


@command("SETQUOTA")
async def set_quota(session: Session, reader: Reader) -> Done:
    root = reader.astring()
    reader.space()
    reader.expect(b"(")
    first = True
    while not reader.take(b")"):
        if not first:
            reader.space()
        reader.atom()
        reader.space()
        reader.number(high=MOST)
        first = False
    reader.end()
    _require_root(root)
    raise No("Quotas are set by the administrator", b"NOPERM")


def _require_root(root: bytes) -> None:
    if root != ROOT:
        raise No('There is one quota root, and its name is ""', b"NONEXISTENT")


def _quota(account: IAccount) -> bytes:
    octets, messages = account.usage()
    limit = account.limit()
    resources = [b"MESSAGE %d %d" % (messages, MAX_NUMBER)]
    if limit:
        # Rounded so that who is full sees it.
        resources.insert(0, b"STORAGE %d %d" % (-(-octets // UNIT), limit // UNIT))
    return b'* QUOTA "" (%b)\r\n' % b" ".join(resources)
