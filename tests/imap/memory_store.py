"""A mail store in memory that keeps the promises of `unitymail.interfaces.store`, for transcripts and models.

Knows UIDs, flags, MODSEQs, \\Recent and folder names; refuses to know files (but APPEND's, which it reads and removes).
For tests: `folder.put(octets)` stores at once, `folder.arrive(octets)` only with the next refresh (as a file another
program left), `folder.calls` names the methods called, `store.open_contents` counts contents not yet closed, and
`account.quota` is a limit in octets, and
before the change `folder.vanished_from` expunged UIDs are forgotten.
"""

import os
import tempfile
import threading
import time
import unicodedata
from array import array
from dataclasses import dataclass, field
from functools import wraps

from zope.interface import implementer

from unitymail.interfaces.errors import Never
from unitymail.interfaces.store import (
    MAX_KEYWORDS,
    MAX_METADATA_ENTRIES,
    MAX_METADATA_OCTETS,
    MAX_NAME_OCTETS,
    SPECIAL_USES,
    SYSTEM_FLAGS,
    USE_ENTRY,
    BadFolderName,
    Copied,
    FolderExists,
    FolderInfo,
    FolderStatus,
    IAccount,
    IContent,
    IFolder,
    IStore,
    MetadataTooLong,
    NoSuchFolder,
    NoSuchMessage,
    OverQuota,
    Snapshot,
    TooManyKeywords,
    TooMuchMetadata,
    UseNotPossible,
)
from unitymail.policy.withholding import NOTHING

SPECIAL = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Deleted Items": "\\Trash", "Junk": "\\Junk", "Archive": "\\Archive"}
WELL_KNOWN = {f.lower(): f for f in SYSTEM_FLAGS}
EPOCH_DAY = 719163  # date(1970, 1, 1).toordinal()
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DEFAULT_DATE = 1_795_000_000.0


def quoted_date(seconds):
    t = time.gmtime(seconds)
    return b'"%2d-%s-%04d %02d:%02d:%02d +0000"' % (
        t.tm_mday, MONTHS[t.tm_mon - 1].encode(), t.tm_year, t.tm_hour, t.tm_min, t.tm_sec,
    )


@implementer(IContent)
class MemoryContent:
    def __init__(self, store, octets):
        self._store = store
        self.buffer = octets
        self.size = len(octets)
        store.open_contents += 1

    def read(self, offset, length):
        return self.buffer[offset : offset + length]

    def close(self):
        if self._store is not None:
            self._store.open_contents -= 1
            self._store = self.buffer = None


@dataclass(eq=False)
class Message:
    uid: int
    octets: bytes
    date: float
    flags: int
    modseq: int
    saved: float
    emailid: str
    threadid: str = ""
    summary: object = field(default=None, repr=False)
    preview: object = 0

    def column(self, name):
        if name == "preview" and self.preview == 0:
            from unitymail.mail import preview, structure

            self.preview = preview.preview(self.octets, structure.scan(self.octets))
        if name in ("subject", "from", "to", "cc", "displayfrom", "displayto"):
            from unitymail.mail.sort_terms import sort_terms

            terms = sort_terms(self.column("fields"))
            return getattr(terms, "from_" if name == "from" else name)
        if name == "ties":
            from unitymail.mail.ties import ties

            return ties(self.column("fields")).packed()
        if name in ("envelope", "bodystructure", "fields", "terms", "sent"):
            if self.summary is None:
                from unitymail.mail import structure, summary

                self.summary = summary.summarise(self.octets, structure.scan(self.octets))
            value = getattr(self.summary, name)
            return int(self.date) if name == "sent" and value is None else value
        return {
            "internaldate": lambda: quoted_date(self.date),
            "date": lambda: int(self.date),
            "size": lambda: len(self.octets),
            "saved": lambda: int(self.saved),
            "emailid": lambda: self.emailid,
            "threadid": lambda: self.threadid,
            "preview": lambda: self.preview,
            "lazypreview": lambda: self.preview,
        }[name]()


def locked(method):
    @wraps(method)
    def wrapper(self, *args, **kwargs):
        with self._lock:
            self.calls.append(method.__name__)
            return method(self, *args, **kwargs)

    return wrapper


@implementer(IFolder)
class MemoryFolder:
    places = ()

    def __init__(self, account, name, special_use="", uidvalidity=1):
        self.account, self.name, self.special_use = account, name, special_use
        self.id = f"F{account.store.next_number()}"
        self.calls = []
        self._lock = account.store.lock
        self._messages = {}  # uid -> Message, ascending
        self._arriving = []
        self._combinations = [frozenset()]
        self._spelling = dict(WELL_KNOWN)
        self._told = 1  # the lowest UID never given out as recent
        self._uidvalidity, self._uidnext, self._modseq = uidvalidity, 1, 1
        self._serial = 0
        self._vanished = []  # (modseq, uid)
        self.vanished_from = 0
        self.deleted = False
        self.metadata = {}  # entry -> (value or None, when)
        self._renew()

    # -- for tests

    def put(self, octets, flags=(), date=DEFAULT_DATE, recent=True):
        """Store a message now; its UID."""
        with self._lock:
            uid = self._add(octets, self._combination(frozenset(self._spell(flags))), date).uid
            if not recent:
                self._told = uid + 1
            self._renew()
            return uid

    def arrive(self, octets, flags=(), date=DEFAULT_DATE):
        """Leave a message that the next refresh will find."""
        self._arriving.append((octets, flags, date))

    def octets(self, uid):
        return self._messages[uid].octets

    def flags_of(self, uid):
        return set(self._combinations[self._messages[uid].flags])

    # -- the promises

    @locked
    def refresh(self):
        self._living()
        arriving, self._arriving = self._arriving, []
        for octets, flags, date in arriving:
            self._add(octets, self._combination(frozenset(self._spell(flags))), date)
        if arriving:
            self._renew()
        return self.snapshot

    @locked
    def claim_recent(self):
        first, self._told = self._told, self._uidnext
        return (first, self._uidnext - 1) if first < self._uidnext else (1, 0)

    @locked
    def peek_recent(self):
        return self._told

    @locked
    def status(self):
        self.refresh()
        held = list(self._messages.values())
        flags = [self._combinations[m.flags] for m in held]
        return FolderStatus(
            messages=len(held),
            recent=sum(m.uid >= self._told for m in held),
            unseen=sum("\\Seen" not in f for f in flags),
            uidnext=self._uidnext,
            uidvalidity=self._uidvalidity,
            highest_modseq=self._modseq,
            size=sum(len(m.octets) for m in held),
            deleted=sum("\\Deleted" in f for f in flags),
            mailboxid=self.id,
            deleted_size=sum(len(m.octets) for m, f in zip(held, flags, strict=True) if "\\Deleted" in f),
        )

    @locked
    def rows(self, uids, columns):
        held = self._messages
        if "threadid" in columns:
            for uid in sorted(uids):
                if uid in held:
                    self._settle_thread(held[uid])
        return [(uid, *[held[uid].column(c) for c in columns]) for uid in sorted(uids) if uid in held]

    @locked
    def terms_holding(self, uids, needles):
        found = ((uid, self._messages[uid].column("terms")) for uid in sorted(uids) if uid in self._messages)
        return [row for row in found if any(needle in row[1] for needle in needles)]

    @locked
    def internal_days(self, uids):
        held = self._messages
        return [(uid, EPOCH_DAY + int(held[uid].date // 86400)) for uid in sorted(uids) if uid in held]

    @locked
    def word_verdicts(self, uids, needle, *, body_only):
        return None

    @locked
    def content(self, uid):
        message = self._messages.get(uid)
        return None if message is None else MemoryContent(self.account.store, message.octets)

    def contents(self, uids, octets):
        opened = []
        for uid in uids:
            opened.append(self.content(uid))
            size = 0 if opened[-1] is None else opened[-1].size
            octets -= size
            if octets <= 0 or size >= 65_536:
                break
        return opened

    @locked
    def store(self, uids, change, flags, unchanged_since=None):
        self._living()
        given = frozenset(self._spell(flags))
        modified, changed = [], []
        for uid in sorted(uids):
            message = self._messages.get(uid)
            if message is None:
                continue
            if unchanged_since is not None and message.modseq > unchanged_since:
                modified.append(uid)
                continue
            old = self._combinations[message.flags]
            new = {"add": old | given, "remove": old - given, "replace": given}[change]
            if new != old:
                changed.append((message, new))
        self._check_keywords(new for _, new in changed)
        if changed:
            self._modseq += 1
            for message, new in changed:
                message.flags, message.modseq = self._combination(new), self._modseq
            self._renew()
        return self.snapshot, tuple(modified)

    @locked
    def expunge(self, uids=None):
        self._living()
        wanted = self._messages.keys() if uids is None else set(uids)
        going = [m.uid for m in self._messages.values()
                 if m.uid in wanted and "\\Deleted" in self._combinations[m.flags]]
        self._drop(going)
        return self.snapshot

    @locked
    def vanished_since(self, modseq):
        self._living()
        if modseq < self.vanished_from:
            return None
        return sorted(uid for at, uid in self._vanished if at > modseq)

    @locked
    def copy(self, uids, target):
        return self._hand_to(target, uids, moving=False)

    @locked
    def move(self, uids, target):
        copied = self._hand_to(target, uids, moving=True)
        self._drop(copied.sources)
        return copied

    @locked
    def append(self, path, flags, internal_date):
        return self._take_in([(path, flags, internal_date)])[0]

    @locked
    def append_all(self, messages, *, flushed=True):
        return self._take_in(messages)

    @locked
    def replace(self, uid, path, flags, internal_date, target):
        self._living()
        old = self._messages.get(uid)
        if old is None:
            raise NoSuchMessage()
        new = target._take_in([(path, flags, internal_date)], leaving=len(old.octets))[0]
        self._drop([uid])
        return new

    # -- how

    def _take_in(self, messages, leaving=0):
        self._living()
        taken = []
        for path, flags, date in messages:
            with open(path, "rb") as file:
                taken.append((file.read(), frozenset(self._spell(flags)), DEFAULT_DATE if date is None else date))
        self.account.make_room(sum(len(octets) for octets, _, _ in taken) - leaving)
        self._check_keywords(flags for _, flags, _ in taken)
        for path, _, _ in messages:
            os.unlink(path)
        uids = [self._add(octets, self._combination(flags), date).uid for octets, flags, date in taken]
        self._renew()
        return uids

    @property
    def is_deleted(self):
        return self.deleted

    def _living(self):
        if self.deleted:
            raise NoSuchFolder()

    def _settle_thread(self, message):
        """Messages that share a message id under one base subject share a thread, named after the first asked about."""
        from unitymail.mail.ties import tokens_of

        if not message.threadid:
            known, tokens = self.account.threads, tokens_of(message.column("ties"))
            message.threadid = min((known[t] for t in tokens if t in known), default="T" + message.emailid[1:])
            for token in tokens:
                known.setdefault(token, message.threadid)

    def _spell(self, flags):
        for flag in flags:
            if flag.lower() != "\\recent":
                yield self._spelling.get(flag.lower(), flag)

    def _check_keywords(self, combinations):
        used = {f for m in self._messages.values() for f in self._combinations[m.flags] if not f.startswith("\\")}
        for new in combinations:
            used.update(f for f in new if not f.startswith("\\"))
        if len(used) > MAX_KEYWORDS:
            raise TooManyKeywords()

    def _combination(self, flags):
        for flag in flags:
            self._spelling.setdefault(flag.lower(), flag)
        try:
            return self._combinations.index(flags)
        except ValueError:
            self._combinations.append(flags)
            return len(self._combinations) - 1

    def _add(self, octets, combination, date, emailid=""):
        self._modseq += 1
        message = Message(self._uidnext, octets, date, combination, self._modseq, DEFAULT_DATE,
                          emailid or f"M{self.account.store.next_number()}")
        self._messages[message.uid] = message
        self._uidnext += 1
        return message

    def _drop(self, uids):
        if uids:
            for uid in uids:
                del self._messages[uid]
            self._modseq += 1
            self._vanished += [(self._modseq, uid) for uid in uids]
            self._renew()

    def _hand_to(self, target, uids, *, moving):
        self._living()
        target._living()
        sources = [uid for uid in sorted(uids) if uid in self._messages]
        if not moving:
            self.account.make_room(sum(len(self._messages[uid].octets) for uid in sources))
        flags = [self._combinations[self._messages[uid].flags] for uid in sources]
        target._check_keywords(frozenset(target._spell(f)) for f in flags)
        targets = []
        for uid, carried in zip(sources, flags, strict=True):
            message = self._messages[uid]
            copy = target._add(message.octets, target._combination(frozenset(target._spell(carried))), message.date,
                               message.emailid if moving else "")
            copy.summary = message.summary
            copy.threadid = message.threadid
            targets.append(copy.uid)
        target._renew()
        return Copied(target._uidvalidity, tuple(sources), tuple(targets))

    def _renew(self):
        self._serial += 1
        held = list(self._messages.values())
        flags = array("L", [m.flags for m in held])
        self.snapshot = Snapshot(
            serial=self._serial,
            uidvalidity=self._uidvalidity,
            uidnext=self._uidnext,
            highest_modseq=self._modseq,
            uids=array("L", [m.uid for m in held]),
            flags=flags,
            modseqs=array("Q", [m.modseq for m in held]),
            combinations=tuple(self._combinations),
            keywords=tuple(sorted({f for c in set(flags) for f in self._combinations[c] if f[0] != "\\"})),
        )


@implementer(IAccount)
class MemoryAccount:
    def __init__(self, store, id):
        self.store, self.id, self.quota = store, id, None
        self.withholding = NOTHING
        self.calls = []
        self.threads = {}  # token of a message id under a subject -> THREADID
        self._lock = store.lock
        self._folders = {}  # name -> MemoryFolder, or None for a name that is only a parent
        self._subscribed = set()
        self._metadata = {}
        self._changed = 1
        self._uidvalidity = 1000
        for name in ("INBOX", *SPECIAL):
            self._make(name, SPECIAL.get(name, ""))
            self._subscribed.add(name)

    def make_room(self, octets):
        if self.quota is not None and self.usage()[0] + octets > self.quota:
            raise OverQuota()

    def limit(self):
        return self.quota or 0

    @locked
    def folders(self):
        names = sorted(self._folders, key=lambda n: (n != "INBOX", n))
        return [
            FolderInfo(
                name,
                special_use=folder.special_use if (folder := self._folders[name]) else "",
                subscribed=name in self._subscribed,
                selectable=folder is not None,
                has_children=any(n.startswith(name + "/") for n in names),
                mailboxid=folder.id if folder else "",
            )
            for name in names
        ]

    @locked
    def folder(self, name):
        name = canonical(name)
        folder = self._folders.get(name) or self._folders.get(unicodedata.normalize("NFC", name))
        if folder is None:
            raise NoSuchFolder()
        return folder

    @locked
    def create(self, name, special_use=""):
        name = checked(canonical(name))
        if self._folders.get(name) is not None:
            raise FolderExists()
        uses = checked_uses(special_use)
        usual = SPECIAL.get(name, "")
        if not any(usual in f.special_use.split() for f in self._folders.values() if f is not None):
            uses = uses or usual
        self._parents(name)
        folder = self._make(name, "")
        self._give_uses(folder, uses)
        return folder

    def _give_uses(self, folder, uses):
        for other in self._folders.values():
            if other is not None and other is not folder and set(other.special_use.split()) & set(uses.split()):
                other.special_use = " ".join(use for use in other.special_use.split() if use not in uses.split())
                other.metadata[USE_ENTRY] = (None, self._changed)
        folder.special_use = uses

    @locked
    def metadata(self, name, entries, depth="0"):
        kept = self._metadata if not name else self.folder(name).metadata
        held = {entry: value for entry, (value, _) in kept.items() if value is not None}
        if name and self.folder(name).special_use:
            held[USE_ENTRY] = self.folder(name).special_use.encode()
        levels = {"0": 0, "1": 1, "infinity": 99}[depth]
        return {
            entry: held[entry]
            for entry in sorted(held)
            for asked in entries
            if entry == asked or (entry.startswith(asked + "/") and entry[len(asked):].count("/") <= levels)
        }

    @locked
    def set_metadata(self, name, values):
        folder = self.folder(name) if name else None
        plain = {entry: value for entry, value in values.items() if folder is None or entry != USE_ENTRY}
        if any(value is not None and len(value) > MAX_METADATA_OCTETS for value in plain.values()):
            raise MetadataTooLong()
        kept = self._metadata if folder is None else folder.metadata
        self._changed += 1
        after = {**kept, **{entry: (value, self._changed) for entry, value in plain.items()}}
        if sum(value is not None for value, _ in after.values()) > MAX_METADATA_ENTRIES:
            raise TooMuchMetadata()
        if len(plain) < len(values):
            self._give_uses(folder, checked_uses((values[USE_ENTRY] or b"").decode()))
            after[USE_ENTRY] = (None, self._changed)
        kept.clear()
        kept.update(after)

    @locked
    def metadata_changes(self, since):
        if not since:
            return self._changed, []
        kept = {"": self._metadata, **{name: f.metadata for name, f in self._folders.items() if f is not None}}
        found = [(at, name, entry) for name, held in kept.items() for entry, (_, at) in held.items() if at > since]
        return self._changed, [(name, entry) for _, name, entry in sorted(found)]

    @locked
    def delete(self, name):
        name = canonical(name)
        if name == "INBOX":
            raise Never(why="INBOX stays")
        folder = self.folder(name)
        name = folder.name
        folder.deleted = True
        folder._messages.clear()
        self._folders[name] = None
        for only_name in sorted((n for n, f in self._folders.items() if f is None), reverse=True):
            if not any(n.startswith(only_name + "/") for n in self._folders):
                del self._folders[only_name]

    @locked
    def rename(self, old, new):
        old, new = canonical(old), checked(canonical(new))
        if old not in self._folders:
            old = unicodedata.normalize("NFC", old)
        if new in self._folders:
            raise FolderExists()
        if old not in self._folders:
            raise NoSuchFolder()
        if old == "INBOX":
            inbox = self.folder("INBOX")
            target = self.create(new)
            inbox.move(list(inbox._messages), target)
            target.metadata.update(inbox.metadata)
            return
        if new.startswith(old + "/"):
            raise BadFolderName(why="a folder cannot go below itself")
        self._parents(new)
        for name in [n for n in self._folders if n == old or n.startswith(old + "/")]:
            folder = self._folders.pop(name)
            self._folders[new + name[len(old):]] = folder
            if folder is not None:
                folder.name = new + name[len(old):]

    @locked
    def subscribe(self, name, on):
        (self._subscribed.add if on else self._subscribed.discard)(canonical(name))

    @locked
    def subscriptions(self):
        return sorted(self._subscribed, key=lambda n: (n != "INBOX", n))

    @locked
    def new_file(self):
        return tempfile.mkstemp(prefix="append-")

    def reindex(self):
        return self.usage()[1]

    @locked
    def usage(self):
        held = [m for f in self._folders.values() if f for m in f._messages.values()]
        return sum(len(m.octets) for m in held), len(held)

    def used(self):
        return self.usage()[0]

    def deleted(self):
        return []

    def deleted_heading(self, id):
        return b""

    def undelete(self, ids):
        return 0

    def traces_of(self, numbers):
        return []

    def owed(self, most=100):
        return []

    def paid(self, number):
        return False

    def close(self):
        pass

    def _parents(self, name):
        levels = name.split("/")
        for depth in range(1, len(levels)):
            parent = "/".join(levels[:depth])
            if self._folders.get(parent) is None:
                self._make(parent, "")

    def _make(self, name, special_use):
        self._uidvalidity += 1
        self._folders[name] = MemoryFolder(self, name, special_use, self._uidvalidity)
        return self._folders[name]


@implementer(IStore)
class MemoryStore:
    def __init__(self):
        self.lock = threading.RLock()
        self.open_contents = 0
        self._number = 0
        self._accounts = {}
        self._delivered = set()

    def next_number(self):
        self._number += 1
        return self._number

    def account(self, id):
        if id not in self._accounts:
            self._accounts[id] = MemoryAccount(self, id)
        return self._accounts[id]

    def deliver(self, account, source, name, *, again=False):
        if (account, name) not in self._delivered:
            self._delivered.add((account, name))
            with open(source, "rb") as file:
                self.account(account).folder("INBOX").arrive(file.read())

    def listen(self, noticed):
        pass

    def make_durable(self, accounts):
        pass

    def close(self):
        pass


def canonical(name):
    """INBOX is case-blind, and so is it as the first level of a name."""
    first, slash, rest = name.partition("/")
    return ("INBOX" if first.upper() == "INBOX" else first) + slash + rest


def checked_uses(uses):
    asked = {use.lower(): use for use in uses.split()}
    found = [use for use in SPECIAL_USES if asked.pop(use.lower(), None)]
    if asked:
        raise UseNotPossible(why=f"{next(iter(asked.values()))} is none of {' '.join(SPECIAL_USES)}")
    return " ".join(found)


def checked(name):
    levels = name.split("/")
    if not all(levels):
        raise BadFolderName(why="a level of the name is empty")
    if len(name.encode()) > MAX_NAME_OCTETS:
        raise BadFolderName(why="the name is longer than 255 octets")
    if any(ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" for c in name):
        raise BadFolderName(why="the name holds a control character")
    if len(levels) > 20:
        raise BadFolderName(why="the name is deeper than 20 levels")
    return name


