"""What a command of the command line gets to work with. Handed in from above; refuses to know how it was opened."""

from __future__ import annotations

from typing import Any, Protocol

from unitymail.admin.operations.peers import Ourselves
from unitymail.interfaces.book import IBook
from unitymail.interfaces.codec import ICodec
from unitymail.interfaces.directory import IDirectory
from unitymail.interfaces.doorbell import Announced
from unitymail.interfaces.login import IPasswords
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.spool import IQueueDesk
from unitymail.interfaces.store import IStore
from unitymail.settings.site import SiteSettings


class Desk(Protocol):
    """The node's things, each opened when first asked for. Everything blocks: there is no reactor here."""

    @property
    def directory(self) -> IDirectory: ...

    @property
    def passwords(self) -> IPasswords: ...

    @property
    def codec(self) -> ICodec:
        """For recordings that an administrator hands in."""

    @property
    def site(self) -> SiteSettings:
        """The site settings of now."""

    @property
    def store(self) -> IStore: ...

    @property
    def book(self) -> IBook:
        """The address book, as a running node has it."""

    @property
    def usage(self) -> IUsage:
        """How full the mailboxes are, as far as it was written."""

    @property
    def host(self) -> str:
        """The name this node gives itself."""

    @property
    def history(self) -> Any:
        """What happened to messages: `story` and `find` of `IHistory`."""

    @property
    def queue(self) -> IQueueDesk:
        """The messages on their way."""

    @property
    def ourselves(self) -> Ourselves:
        """This node as its peers know it."""

    def fingerprint_of(self, certificate: bytes) -> str:
        """The SHA-256 of the public key of a certificate (PEM or DER), as peers are named. Raises ValueError."""

    @property
    def exchange(self) -> Any:
        """Import and export by format: `import_maildir`, `import_mbox`, `export_maildir`, `export_mbox`;
        `take_over`, which keeps files as they are, and `messages_at` for its progress."""

    def mailbox_folder(self, account: str) -> str:
        """The folder that an account's mailbox has, or will have."""

    @property
    def examine(self) -> Any:
        """Checks an open account: `examine(account, repair=..., quick=..., advance=...)`."""

    @property
    def bad_mail(self) -> Any:
        """The messages put aside, as the spool keeps them."""

    @property
    def who(self) -> str:
        """Who is asking, for the audit trail."""

    @property
    def now(self) -> float:
        """Unix seconds."""

    def announce(self, usn: int) -> Announced:
        """Tell the running processes of a change; returns when all hold it, after 2 s at most."""

    def status(self) -> dict[str, Any]:
        """What runs, what waits, what is left of the disk and the certificate."""

    def ring(self, account: str, folder: str) -> None:
        """Tell running processes that something changed in a mailbox."""

    def count(self, account: str) -> None:
        """The quota of a mailbox follows what was brought into it."""

    def close(self) -> None:
        """Give everything back."""
