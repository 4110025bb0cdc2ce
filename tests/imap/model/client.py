"""What one client knows: it keeps what it was told of its mailbox, and says what it is to hear of what happened since.

Written from RFC 3501, 7162, 9051 and 9586, with lists; where they leave a choice, ours: first what has left, then new
keywords, then EXISTS and RECENT, then changed flags in ascending order, all of it before the tagged response. What
commands are answered besides is in ``answers``.
"""

from tests.imap.model.numbers import Saved, number_set

SYSTEM = ("\\Recent", "\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")


def flag_list(flags):
    ordered = sorted(flags, key=lambda flag: (SYSTEM.index(flag) if flag in SYSTEM else len(SYSTEM), flag))
    return "(" + " ".join(ordered) + ")"


class Known:
    """A message as the client believes it to be."""

    __slots__ = ("flags", "letter", "tick", "uid")

    def __init__(self, message):
        self.uid, self.flags, self.tick, self.letter = message.uid, message.flags, message.tick, message.letter


class Client:
    """`enabled` are the words of ENABLE; `aware`: it has shown that it knows of mod-sequences (RFC 7162, 3.1)."""

    def __init__(self):
        self.enabled = set()
        self.aware = False
        self.leave()

    def leave(self):
        """No mailbox is selected."""
        self.box, self.read_only, self.called = None, True, ""
        self.view, self.keywords, self.recent, self.saved = [], set(), set(), set()
        self.told = self.highest = 0

    @property
    def qresync(self):
        return "QRESYNC" in self.enabled

    @property
    def uid_only(self):
        return "UIDONLY" in self.enabled

    @property
    def rev2(self):
        return "IMAP4rev2" in self.enabled

    @property
    def is_lost(self):
        """Whether somebody deleted its mailbox."""
        return self.box is not None and self.box.deleted

    def __str__(self):
        return " ".join(sorted(self.enabled)) or "plain"

    # What is said of messages

    def modseq(self, tick):
        return f"<m:{self.box.key}:{tick}>"

    def flags_of(self, known):
        return flag_list(known.flags | ({"\\Recent"} if known.uid in self.recent else set()))

    def fetch_line(self, number, known, *, uid=False, flags=False, modseq=False, rest=""):
        """As a command asks for it."""
        items = []
        if flags:
            items.append("FLAGS " + self.flags_of(known))
        if modseq:
            items.append(f"MODSEQ ({self.modseq(known.tick)})")
        if uid:
            items.append(f"UID {known.uid}")
        if rest:
            items.append(rest)
        return self._fetch(number, known) + "(" + " ".join(items) + ")"

    def _fetch(self, number, known):
        return f"* {known.uid} UIDFETCH " if self.uid_only else f"* {number} FETCH "

    def changed_line(self, number, known, by_uid):
        """As a change is told on its own accord."""
        uid = (by_uid or self.aware or self.rev2) and not self.uid_only
        return self.fetch_line(number, known, uid=uid, flags=True, modseq=self.aware)

    def keyword_lines(self):
        flags = flag_list([*SYSTEM[1:], *sorted(self.box.keywords)])
        permanent = "()" if self.read_only else flags[:-1] + " \\*)"
        return [f"* FLAGS {flags}", f"* OK [PERMANENTFLAGS {permanent}]"]

    def new_keywords(self):
        if self.box.keywords <= self.keywords:
            return []
        self.keywords = set(self.box.keywords)
        return self.keyword_lines()

    def learn(self):
        """A command that shows that the client knows of mod-sequences (RFC 7162, 3.1)."""
        if self.aware:
            return []
        self.aware = True
        return [f"* OK [HIGHESTMODSEQ {self.modseq(self.told)}]"] if self.box is not None else []

    def ended(self):
        """How a command ends that made messages leave: who knows of mod-sequences is told how far it has come (RFC
        7162, 3.2.7)."""
        return f"OK [HIGHESTMODSEQ {self.modseq(self.told)}]" if self.aware else "OK"

    # Which messages are meant

    def chosen(self, numbers, by_uid):
        """[(sequence number, what is known)] for a set of numbers or UIDs."""
        numbered = list(enumerate(self.view, 1))
        if isinstance(numbers, Saved):
            return [(number, known) for number, known in numbered if known.uid in self.saved]
        named = numbers.among([known.uid if by_uid else number for number, known in numbered])
        return [(number, known) for number, known in numbered if (known.uid if by_uid else number) in named]

    def is_wrong(self, numbers, by_uid):
        """Whether a message is named that cannot be there, by its sequence number."""
        return not by_uid and not isinstance(numbers, Saved) and numbers.goes_beyond(len(self.view))

    # Keeping up

    def catch_up(self, *, expunges=True, by_uid=False):
        """What the client hears of what happened meanwhile; `told` is the tick up to which it has heard everything."""
        if self.box is None or self.is_lost:
            return []
        there = self.box.by_uid()
        lines = self._renamed()
        lines += self._gone(there) if expunges else []
        if all(known.uid in there for known in self.view):
            self.told = self.box.tick
        lines += self.new_keywords()
        lines += self._came(there)
        for number, known in enumerate(self.view, 1):
            message = there.get(known.uid)
            if message is not None and (message.tick, message.flags) != (known.tick, known.flags):
                told = message.tick != known.tick if self.aware else message.flags != known.flags
                known.flags, known.tick = message.flags, message.tick
                if told:
                    lines.append(self.changed_line(number, known, by_uid))
        return lines

    def _renamed(self):
        """RFC 9051, 6.3.9.7: whose mailbox has another name by now is told so, unless it knows nothing of OLDNAME."""
        if not self.rev2 or self.box.name == self.called:
            return []
        old, self.called = self.called, self.box.name
        return [f'* LIST (\\HasNoChildren{self.box.use}) "/" {self.called} ("OLDNAME" ({old}))']

    def _gone(self, there):
        gone = [known.uid for known in self.view if known.uid not in there]
        if not gone:
            return []
        numbers = [number for number, known in enumerate(self.view, 1) if known.uid not in there]
        self.view = [known for known in self.view if known.uid in there]
        self.saved -= set(gone)
        if self.qresync or self.uid_only:
            return ["* VANISHED " + number_set(gone)]
        return [f"* {number} EXPUNGE" for number in reversed(numbers)]

    def _came(self, there):
        last = self.view[-1].uid if self.view else 0
        came = [message for message in there.values() if message.uid > max(last, self.highest)]
        self.highest = max(self.highest, self.box.uidnext - 1)
        if not came:
            return []
        self.view += map(Known, came)
        self.take_recent()
        return [f"* {len(self.view)} EXISTS", *self.recent_line()]

    def take_recent(self):
        """What is new is \\Recent for who is told of it first, and for nobody else but those who only look."""
        if self.rev2:
            return
        if self.read_only:
            self.recent |= set(range(max(self.box.recent_from, max(self.recent, default=0) + 1), self.box.uidnext))
        else:
            self.recent |= self.box.claim_recent()

    def recent_line(self):
        count = sum(known.uid in self.recent for known in self.view)
        return [] if self.rev2 else [f"* {count} RECENT"]
