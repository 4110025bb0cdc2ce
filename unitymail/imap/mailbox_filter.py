"""Which mailboxes a command is about, by a filter instead of by name: `IN (subtree "Projects" inboxes)`.

The words are those of RFC 5465 (6) and RFC 7377 (2.2). Knows names; refuses to know what is done with the mailboxes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from unitymail.imap.listing import parents_of
from unitymail.imap.registry import No
from unitymail.imap.wire.lexer import BadSyntax, Reader
from unitymail.interfaces.store import FolderInfo

MOST_NAMES = 500
NAMED = frozenset({"subtree", "subtree-one", "mailboxes"})
"""Filters that are followed by a mailbox, or by several in parentheses."""
WHOLE = frozenset({"selected", "selected-delayed", "inboxes", "personal", "subscribed"})


@dataclass(frozen=True, slots=True)
class MailboxFilter:
    """One filter; `kind` in lower case, `names` decoded. What `selected` means is the session's to know."""

    kind: str
    names: frozenset[str] = frozenset()

    def takes(self, folder: FolderInfo) -> bool:
        """Mail is delivered to INBOX only, and all mailboxes are personal here."""
        name = folder.name
        match self.kind:
            case "inboxes":
                return name == "INBOX"
            case "personal":
                return True
            case "subscribed":
                return folder.subscribed
            case "mailboxes":
                return name in self.names
            case "subtree":
                return name in self.names or not self.names.isdisjoint(parents_of(name))
            case "subtree-one":
                return name in self.names or name.rpartition("/")[0] in self.names
        return False


def mailbox_filter(reader: Reader, known: Collection[str]) -> MailboxFilter:
    """Read one of the filters `known`."""
    kind = reader.atom().lower()
    if kind not in known:
        raise BadSyntax(f"There is no filter of mailboxes {kind[:40]}")
    if kind not in NAMED:
        return MailboxFilter(kind)
    reader.space()
    return MailboxFilter(kind, _names(reader))


def _names(reader: Reader) -> frozenset[str]:
    if not reader.take(b"("):
        return frozenset([reader.mailbox()])
    names = [reader.mailbox()]
    while not reader.take(b")"):
        reader.space()
        names.append(reader.mailbox())
        if len(names) > MOST_NAMES:
            raise No(f"More than {MOST_NAMES} mailboxes in one filter", b"LIMIT")
    return frozenset(names)
