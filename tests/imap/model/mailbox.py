"""Mailboxes as simply as they can be: lists, sets, and a counter of changes for each.

A change has a number of its own in its mailbox, its *tick*. What MODSEQ a server gives to a tick is its own business,
as long as later ticks have higher ones: see ``hearing``.
"""

from dataclasses import dataclass, field

from tests.imap.model.letters import Letter

KNOWN_KEYWORDS = ("$MDNSent", "$Forwarded", "$Junk", "$NotJunk", "$Phishing")


@dataclass
class Message:
    uid: int
    flags: frozenset
    tick: int
    letter: Letter

    @property
    def octets(self):
        return self.letter.octets


@dataclass(eq=False)
class Mailbox:
    """`gone` are (UID, tick) of what has left; `recent_from` is the first UID that nobody was told of. `use`: special.

    `key` is its own for good, whatever it is called. `lost` are UIDs of gone messages that nobody can read any more.

    `idlers` are the clients that hear of everything at once, the one who began to wait last before the others.
    `deleted`: it is no more.
    """

    name: str
    key: str
    use: str = ""
    messages: list = field(default_factory=list)
    gone: list = field(default_factory=list)
    keywords: set = field(default_factory=lambda: set(KNOWN_KEYWORDS))
    uidnext: int = 1
    recent_from: int = 1
    tick: int = 0
    lost: set = field(default_factory=set)
    idlers: list = field(default_factory=list)
    deleted: bool = False

    def by_uid(self):
        return {message.uid: message for message in self.messages}

    def add(self, pairs):
        """(flags, letter) as one change; the UIDs."""
        if not pairs:
            return []
        self.tick += 1
        first = self.uidnext
        for flags, letter in pairs:
            flags = frozenset(flags) - {"\\Recent"}
            self.messages.append(Message(self.uidnext, flags, self.tick, letter))
            self.keywords |= {flag for flag in flags if not flag.startswith("\\")}
            self.uidnext += 1
        for client in reversed(self.idlers):
            client.take_recent()
        return list(range(first, self.uidnext))

    def store(self, uids, change, flags, unchanged_since=None):
        """Change flags as one change; the UIDs left alone because they were changed after `unchanged_since`."""
        failed, changed = [], []
        for message in self.messages:
            if message.uid not in uids:
                continue
            if unchanged_since is not None and message.tick > unchanged_since:
                failed.append(message.uid)
                continue
            new = {"add": message.flags | flags, "remove": message.flags - flags, "replace": flags}[change]
            if new != message.flags:
                changed.append((message, new))
        if changed:
            self.tick += 1
            for message, new in changed:
                message.flags, message.tick = new, self.tick
            if change != "remove":
                self.keywords |= {flag for flag in flags if not flag.startswith("\\")}
        return failed

    def remove(self, uids):
        """These leave, as one change; how many there were."""
        leaving = [message for message in self.messages if message.uid in uids]
        if leaving:
            self.tick += 1
            self.gone += [(message.uid, self.tick) for message in leaving]
            self.messages = [message for message in self.messages if message.uid not in uids]
        return len(leaving)

    def expunge(self, uids=None):
        """What is marked \\Deleted leaves, of these UIDs only when they are given."""
        marked = {message.uid for message in self.messages if "\\Deleted" in message.flags}
        return self.remove(marked if uids is None else marked & set(uids))

    def claim_recent(self):
        """The UIDs that nobody was told of as \\Recent; from now on somebody was."""
        claimed = set(range(self.recent_from, self.uidnext))
        self.recent_from = self.uidnext
        return claimed
