"""The mail store: accounts, folders, and the snapshots that sessions share.

Promises what is durable when; refuses to say how it is kept. All methods of accounts and folders may block on the
disk: call them through `IThreads`. They are safe in any thread and when several processes work on one account.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from zope.interface import Attribute, Interface

from unitymail.interfaces.errors import Never, TryAgain
from unitymail.mail.reply import Reply

# mypy: disable-error-code="misc,empty-body"


class NoSuchFolder(Never):
    default = Reply(550, "5.2.0", "No such folder")


class FolderExists(Never):
    default = Reply(550, "5.2.0", "A folder of that name exists")


class BadFolderName(Never):
    """Empty levels, over 255 octets, control characters, or deeper than 20 levels. `why` says which."""

    default = Reply(550, "5.2.0", "A folder cannot have that name")


class OverQuota(TryAgain):
    default = Reply(452, "4.2.2", "The mailbox is full")


class TooManyKeywords(Never):
    default = Reply(550, "5.2.0", "A folder can hold 200 keywords")


class TooManySubscriptions(Never):
    default = Reply(550, "5.2.0", "10,000 mailboxes can be subscribed; please unsubscribe some first")


class NoSuchMessage(Never):
    default = Reply(550, "5.2.0", "The message is gone")


class MetadataTooLong(Never):
    default = Reply(550, "5.2.0", "The value is too long")


class TooMuchMetadata(Never):
    default = Reply(550, "5.2.0", "The mailbox has as many annotations as it can have")


class UseNotPossible(Never):
    """`why` says which special use cannot be had, and which can."""

    default = Reply(550, "5.2.0", "The mailbox cannot have that use")


SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
MAX_KEYWORDS = 200
MAX_SUBSCRIPTIONS = 10_000
MAX_NAME_OCTETS = 255
MAX_METADATA_OCTETS = 65_536
"""Of one value."""
MAX_METADATA_ENTRIES = 200
"""Of one mailbox, and of the account itself."""
MAX_METADATA_TOTAL = 2 * 1024 * 1024
"""Octets of all names and values of an account."""
SPECIAL_USES = ("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash")
"""Uses that a folder can be given (RFC 6154), one or several. Each is one folder's: who gets it takes it away."""
USE_ENTRY = "/private/specialuse"
"""The entry of metadata that shows and changes `special_use` (RFC 6154, 4)."""

Column = Literal[
    "internaldate", "date", "size", "envelope", "bodystructure", "fields", "terms", "sent", "saved", "emailid",
    "preview", "lazypreview", "threadid", "ties", "subject", "from", "to", "cc", "displayfrom", "displayto",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The messages of a folder at one moment; shared by every session of the process and never changed.

    `uids` ascend. `flags[i]` indexes `combinations`, the sets of flags in use (system flags in the case above,
    keywords as first given). `modseqs[i]` belongs to `uids[i]`. `serial` grows with every new snapshot of the folder
    object, so that equality is one comparison. `combinations` only ever grows at its end while the folder is open:
    an index once handed out keeps its meaning, and sessions may cache what they render for it.
    """

    serial: int
    uidvalidity: int
    uidnext: int
    highest_modseq: int
    uids: array[int]
    flags: array[int]
    modseqs: array[int]
    combinations: Sequence[frozenset[str]]
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderInfo:
    """One line of LIST. `name` is decoded text with `/` between levels; `special_use` is "" or `\\Trash` etc.

    A folder may have several uses, with spaces between. `selectable` is false for a name that is only the parent of
    others; such a one has no `mailboxid` (RFC 8474).
    """

    name: str
    special_use: str = ""
    subscribed: bool = True
    selectable: bool = True
    has_children: bool = False
    mailboxid: str = ""


@dataclass(frozen=True, slots=True)
class FolderStatus:
    messages: int
    recent: int
    unseen: int
    uidnext: int
    uidvalidity: int
    highest_modseq: int
    size: int
    deleted: int
    mailboxid: str
    deleted_size: int = 0


@dataclass(frozen=True, slots=True)
class Copied:
    """For COPYUID (RFC 4315): `sources[i]` became `targets[i]` in the folder with this UIDVALIDITY."""

    uidvalidity: int
    sources: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Noticed:
    """Clients of this account marked messages as read (`seen`, for `traces_of`), or receipts are owed."""

    account: str
    seen: tuple[int, ...]
    owed: bool


@dataclass(frozen=True, slots=True)
class Owed:
    """A receipt to be sent for a message (`trace`) that a client read or deleted unheard, or that aged, `at` (Unix
    seconds).

    `header` is the message's, our own block included; `asked_of` says that the receipt may be sent.
    """

    number: int
    kind: Literal["displayed", "deleted", "expired"]
    at: float
    trace: str
    header: bytes


@dataclass(frozen=True, slots=True)
class Deleted:
    """An expunged message that can come back. `at` and `date` (the internal date) in Unix seconds."""

    id: int
    folder: str
    flags: tuple[str, ...]
    date: int
    octets: int
    at: int
    path: bytes


class IContent(Interface):
    """The octets of one message in CRLF form, whatever the file's line ends. Close it after use.

    `buffer` supports len(), slicing and find() (bytes or mmap), so no whole copy of a large message is made.
    """

    buffer = Attribute("bytes or mmap over the whole message, CRLF form.")
    size = Attribute("Octets in `buffer`; equals RFC822.SIZE.")

    def read(offset: int, length: int) -> bytes:
        """Octets of `buffer`, from the disk: call it in a thread. Raises OSError when the disk cannot give them."""

    def close() -> None:
        """Give the file back."""


class IFolder(Interface):
    """A folder of an account. `snapshot` is what this process last saw; every changing method renews it first."""

    id = Attribute("MAILBOXID (RFC 8474): stable over RENAME.")
    name = Attribute("Decoded name, `/` between levels.")
    places = Attribute("Directories (bytes) that other programs may change, () for none; any thread.")
    snapshot = Attribute("The newest Snapshot known to this process; reading it never blocks.")
    is_deleted = Attribute("Whether this process knows that the folder is no more; reading it never blocks.")

    def refresh() -> Snapshot:
        """Look at the Maildir and at what other processes did; give UIDs to new files; the newest snapshot."""

    def claim_recent() -> tuple[int, int]:
        """(first, last) UID that nobody was told of as \\Recent before; (1, 0) for none. Each goes to one caller."""

    def peek_recent() -> int:
        """The lowest UID that `claim_recent` would give now (uidnext when none), claiming nothing (EXAMINE)."""

    def status() -> FolderStatus:
        """For STATUS; refreshes."""

    def rows(uids: Sequence[int], columns: Sequence[Column]) -> list[tuple[Any, ...]]:
        """(uid, *columns) for those of `uids` that exist, ascending; rendered once per message and kept.

        internaldate: bytes, quoted as FETCH shows it. date: int, the same in Unix seconds, UTC. size: int, CRLF form.
        envelope, bodystructure: bytes, ready for the wire. fields: bytes, the raw header fields of
        `summary.KEPT_FIELDS` in message order, as stored. terms: str, `summary.Summary.terms`. sent, saved: int, Unix
        seconds, UTC (sent: of the Date field, else internal date). emailid: str. preview: str, the first words of the
        text, at most 200 characters (RFC 8970); lazypreview: the same where it is kept already, else 0. threadid: str
        (RFC 8474). ties, and subject to displayto: what THREAD and SORT compare (`mail.ties`, `mail.sort_terms`).
        """

    def terms_holding(uids: Sequence[int], needles: Sequence[str]) -> list[tuple[int, str]]:
        """As rows(uids, ("terms",)), but only of those whose terms hold one of the needles (no NUL, 200 characters)."""

    def internal_days(uids: Sequence[int]) -> list[tuple[int, int]]:
        """(uid, day number of the internal date, time zone disregarded) for SEARCH BEFORE, ON, SINCE."""

    def word_verdicts(uids: Sequence[int], needle: str, *, body_only: bool) -> bytes | None:
        """For each of `uids` (ascending), whether its texts hold the folded needle: 0 no, 1 yes, 2 read it to know.

        From the full-text index; None when there is none, or when it cannot tell (`mail.searchable` says which texts).
        """

    def content(uid: int) -> IContent | None:
        """The message's octets, or None when it is gone."""

    def contents(uids: Sequence[int], octets: int) -> Sequence[IContent | None]:
        """As `content`, for the first of `uids`: one at least, then more until so many octets are open.

        A content of 64 KiB or more is the last.
        """

    def store(
        uids: Collection[int], change: Literal["add", "remove", "replace"], flags: Iterable[str],
        unchanged_since: int | None = None,
    ) -> tuple[Snapshot, tuple[int, ...]]:
        """Change flags (\\Recent excluded); the new snapshot, and the UIDs left alone because of `unchanged_since`."""

    def vanished_since(modseq: int) -> Sequence[int] | None:
        """The UIDs that left after this change (QRESYNC), ascending; None when that is too long ago to be known."""

    def expunge(uids: Collection[int] | None = None) -> Snapshot:
        """Remove the messages that carry \\Deleted (of these UIDs only, when given). Durable on return."""

    def copy(uids: Collection[int], target: IFolder) -> Copied:
        """All or nothing (an intent survives a crash). Raises OverQuota, NoSuchFolder."""

    def move(uids: Collection[int], target: IFolder) -> Copied:
        """As copy, and the sources leave in the same transaction; never copies octets."""

    def append(path: str, flags: Iterable[str], internal_date: float | None) -> int:
        """Take the file at `path` (moved into the Maildir; CRLF form; already flushed) as a message; its UID.

        Durable on return. Raises OverQuota.
        """

    def append_all(
        messages: Sequence[tuple[str, Iterable[str], float | None]], *, flushed: bool = True
    ) -> list[int]:
        """As `append` for each (path, flags, internal date), in this order, all or nothing: their UIDs.

        flushed: whether the files' octets are durable before; else they are when this returns.
        """

    def replace(uid: int, path: str, flags: Iterable[str], internal_date: float | None, target: IFolder) -> int:
        """As `append` to `target`, and this folder's message `uid` leaves in the same transaction: the new UID.

        The file need not be durable before. The room that the old message gives back counts. Raises OverQuota, and
        NoSuchMessage when `uid` is gone.
        """


class IAccount(Interface):
    """The mailbox of one user.

    What the class of service withholds is never shown: sizes, rows and octets of such a message are those of its
    withheld form (`mail.withheld`), in all folders alike. When the class changes what is withheld of a message, the
    message leaves and comes back with another UID and EMAILID, with its flags, dates and THREADID.
    """

    id = Attribute("The user's id, which names the directory.")
    withholding = Attribute("The `policy.withholding.Withholding` in force, as far as this process knows.")

    def folders() -> list[FolderInfo]:
        """All folders, parents that are only names too, sorted, INBOX first. Special ones exist from the start."""

    def folder(name: str) -> IFolder:
        """By name (INBOX case-blind); the same object for everyone in this process. Raises NoSuchFolder."""

    def create(name: str, special_use: str = "") -> IFolder:
        """With all missing parents. Raises FolderExists, BadFolderName, UseNotPossible."""

    def delete(name: str) -> None:
        """The messages go; a folder with children stays as a name only. Raises NoSuchFolder, Never for INBOX."""

    def rename(old: str, new: str) -> None:
        """Children follow. RENAME INBOX moves its messages and leaves INBOX empty. Raises as create and folder."""

    def subscribe(name: str, on: bool) -> None:
        """Remember the subscription; the folder need not exist. Raises BadFolderName, TooManySubscriptions."""

    def subscriptions() -> list[str]:
        """Subscribed names, existing or not."""

    def metadata(name: str, entries: Collection[str], depth: Literal["0", "1", "infinity"] = "0") -> dict[str, bytes]:
        """Those of `entries` that the folder (the account itself for "") has, and the ones below them (RFC 5464).

        Names of entries are in lower case and begin with `/private` or `/shared`. Raises NoSuchFolder.
        """

    def set_metadata(name: str, values: Mapping[str, bytes | None]) -> None:
        """All of them, or none; None removes an entry. Durable on return; follows RENAME, goes with DELETE.

        Raises NoSuchFolder, MetadataTooLong, TooMuchMetadata, and UseNotPossible for `USE_ENTRY`.
        """

    def metadata_changes(since: int) -> tuple[int, list[tuple[str, str]]]:
        """(what to ask with next time, (folder or "", entry) of what was set or removed after `since`); 0 asks for now.

        With 0 nothing is listed. What was forgotten by now (over a thousand removals ago) is left out.
        """

    def new_file() -> tuple[int, str]:
        """A fresh file under the account's tmp/, for APPEND to stream into: (descriptor, path)."""

    def reindex() -> int:
        """Forget what was rendered and look at every file anew; how many messages there are. UIDs and flags stay."""

    def usage() -> tuple[int, int]:
        """(octets, messages) in all folders."""

    def used() -> int:
        """The same octets as far as this process knows, from memory: never blocks."""

    def deleted() -> list[Deleted]:
        """Expunged messages that can come back, the newest first."""

    def deleted_heading(id: int) -> bytes:
        """The first octets of one of them, its header nearly always; b"" when it is gone."""

    def undelete(ids: Iterable[int]) -> int:
        """Bring these back to the folders they were in (INBOX when that is gone); how many came. Durable on return.

        They get new UIDs, and lose \\Deleted. Raises OverQuota.
        """

    def limit() -> int:
        """Octets that the account may hold, 0 for no limit."""

    def traces_of(numbers: Sequence[int]) -> list[str]:
        """The traces of messages that `Noticed.seen` names: of our own deliveries, those read for the first time."""

    def owed(most: int = 100) -> list[Owed]:
        """Receipts that are not on their way yet, the oldest first."""

    def paid(number: int) -> bool:
        """The receipt of this number is on its way, or never will be; durable on return. Whether it was owed still."""

    def close() -> None:
        """Close the index; names still waiting to follow flags are written first."""


class IStore(Interface):
    def account(id: str) -> IAccount:
        """Open (created when absent) an account; the same object for everyone in this process while in use."""

    def deliver(account: str, source: str, name: str, *, again: bool = False) -> None:
        """Link `source` into INBOX's new/ as `name` (copied where a link is impossible). Blocking; not durable.

        Harmless twice. With `again` (a retry, or recovery) a name found in new/, cur/, the index or the list of
        expunged names counts as done. Raises TryAgain.
        """

    def listen(noticed: Callable[[Noticed], None]) -> None:
        """Call `noticed`, in any thread, when clients have read messages, and for what an earlier process left."""

    def make_durable(accounts: Collection[str]) -> None:
        """Return once the names delivered into these accounts are durable: one flush each, or one syncfs above 64."""

    def close() -> None:
        """Close all accounts."""
