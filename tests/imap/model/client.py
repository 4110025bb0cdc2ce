"""What one client must hear: it keeps what it was told of its mailbox, and says after each command what follows.

Written from RFC 3501, 4731, 5182, 7162, 8508, 9051, 9394 and 9586, with lists; where they leave a choice, ours: first
what has left, then new keywords, then EXISTS and RECENT, then changed flags in ascending order, all of it before the
tagged response.
"""

from zlib import crc32

SYSTEM = ("\\Recent", "\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")


def flag_list(flags):
    ordered = sorted(flags, key=lambda flag: (SYSTEM.index(flag) if flag in SYSTEM else len(SYSTEM), flag))
    return "(" + " ".join(ordered) + ")"


def number_set(numbers):
    """`1:3,7`, from any order."""
    runs = []
    for number in sorted(numbers):
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


def literal(octets):
    """As ``transport`` writes a literal into its line."""
    return f"{{{len(octets)}}}{crc32(octets):08x}"


class Onward:
    """`first:*`, whatever the largest number is by then."""

    def __init__(self, first):
        self.first = first

    def __contains__(self, number):
        return number >= self.first


class Page:
    """`1:3` from the first of what is left, `-1:-3` from the last."""

    def __init__(self, begin, end):
        self.text, self.low, self.high = f"{begin}:{end}", *sorted((abs(begin), abs(end)))
        self.from_the_end = begin < 0

    def of(self, things):
        if self.from_the_end:
            return things[::-1][self.low - 1 : self.high][::-1]
        return things[self.low - 1 : self.high]


class Known:
    """A message as the client believes it to be."""

    __slots__ = ("flags", "octets", "tick", "uid")

    def __init__(self, message):
        self.uid, self.flags, self.tick, self.octets = message.uid, message.flags, message.tick, message.octets


class Client:
    """`kind` is what it enabled when it signed in: plain, condstore, qresync, rev2, uidonly, or both: QRESYNC
    and UIDONLY."""

    def __init__(self, kind):
        self.kind = kind
        self.qresync = kind in ("qresync", "both")
        self.aware = self.qresync or kind == "condstore"
        self.uid_only = kind in ("uidonly", "both")
        self.rev2 = kind == "rev2"
        self.leave()

    def leave(self):
        self.box, self.read_only = None, True
        self.view, self.keywords, self.recent, self.saved = [], set(), set(), set()
        self.told = self._highest = 0

    # What is said of messages

    def modseq(self, tick):
        return f"<m:{self.box.key}:{tick}>"

    def fetch_line(self, number, known, *, uid=False, flags=False, modseq=False, rest=""):
        """As a command asks for it."""
        shown = known.flags | ({"\\Recent"} if known.uid in self.recent else set())
        items = []
        if flags:
            items.append("FLAGS " + flag_list(shown))
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
        """As a change is told on its own accord: the UID comes first."""
        shown = known.flags | ({"\\Recent"} if known.uid in self.recent else set())
        uid = f"UID {known.uid} " if (by_uid or self.aware or self.rev2) and not self.uid_only else ""
        modseq = f" MODSEQ ({self.modseq(known.tick)})" if self.aware else ""
        return self._fetch(number, known) + f"({uid}FLAGS {flag_list(shown)}{modseq})"

    def keyword_lines(self):
        flags = flag_list([*SYSTEM[1:], *sorted(self.box.keywords)])
        permanent = "()" if self.read_only else flags[:-1] + " \\*)"
        return [f"* FLAGS {flags}", f"* OK [PERMANENTFLAGS {permanent}]"]

    def new_keywords(self):
        if self.box.keywords <= self.keywords:
            return []
        self.keywords = set(self.box.keywords)
        return self.keyword_lines()

    # Keeping up

    def catch_up(self, *, expunges=True, by_uid=False):
        """What the client hears of what happened meanwhile; `told` is the tick up to which it has heard everything."""
        if self.box is None:
            return []
        there = self.box.by_uid()
        lines = self._gone(there) if expunges else []
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
        came = [message for message in there.values() if message.uid > max(last, self._highest)]
        self._highest = max(self._highest, self.box.uidnext - 1)
        if not came:
            return []
        self.view += map(Known, came)
        self.take_recent()
        return [f"* {len(self.view)} EXISTS", *self._recent_line()]

    def take_recent(self):
        """What is new is \\Recent for who is told of it first, and for nobody else but those who only look."""
        if self.rev2:
            return
        if self.read_only:
            self.recent |= set(range(max(self.box.recent_from, max(self.recent, default=0) + 1), self.box.uidnext))
        else:
            self.recent |= self.box.claim_recent()

    def _recent_line(self):
        count = sum(known.uid in self.recent for known in self.view)
        return [] if self.rev2 else [f"* {count} RECENT"]

    # Commands: each gives the untagged lines, and the end without its words: `OK`, `OK [CODE]`, `NO [CODE]`

    def select(self, box, read_only):
        lines = ["* OK [CLOSED]"] if self.box is not None else []
        self.leave()
        self.box, self.read_only = box, read_only
        self.view = list(map(Known, box.messages))
        self._highest, self.told = box.uidnext - 1, box.tick
        self.keywords = set(box.keywords)
        self.take_recent()
        told = [
            *self.keyword_lines(), f"* {len(self.view)} EXISTS", *self._recent_line(),
            f"* OK [UIDVALIDITY <validity:{box.key}>]", f"* OK [UIDNEXT {box.uidnext}]",
            f"* OK [HIGHESTMODSEQ {self.modseq(box.tick)}]", f"* OK [MAILBOXID (<id:{box.key}>)]",
        ]  # fmt: skip
        unseen = [number for number, known in enumerate(self.view, 1) if "\\Seen" not in known.flags]
        if unseen and not self.rev2 and not self.uid_only:
            told.append(f"* OK [UNSEEN {unseen[0]}]")
        if self.rev2:
            told.append(f'* LIST (\\HasNoChildren{box.use}) "/" {box.name}')
        return [*lines, frozenset(told)], "OK [READ-ONLY]" if read_only else "OK [READ-WRITE]"

    def resynced(self, since):
        """Behind the lines of SELECT (QRESYNC …): what has left and has changed since the tick (RFC 7162 3.2.5)."""
        lines = self._vanished_earlier(since, Onward(1))
        for number, known in enumerate(self.view, 1):
            if known.tick > since:
                lines.append(self.changed_line(number, known, True))
        return lines

    def _vanished_earlier(self, since, uids):
        gone = [uid for uid, tick in self.box.gone if tick > since and uid in uids]
        return ["* VANISHED (EARLIER) " + number_set(gone)] if gone else []

    def chosen(self, numbers, by_uid):
        """[(sequence number, what is known)] for a set of numbers or UIDs."""
        if isinstance(numbers, Onward):
            largest = (self.view[-1].uid if by_uid else len(self.view)) if self.view else 0
            numbers = range(min(numbers.first, largest), largest + 1)
        numbered = enumerate(self.view, 1)
        return [(number, known) for number, known in numbered if (known.uid if by_uid else number) in numbers]

    def store(self, numbers, by_uid, change, silent, flags, unchanged_since=None):
        if self.read_only:
            return [], "NO"
        lines = self._learn() if unchanged_since is not None else []
        chosen = self.chosen(numbers, by_uid)
        if not chosen or (not flags and change != "replace"):
            return lines, "OK"
        failed = set(self.box.store({known.uid for _, known in chosen}, change, flags, unchanged_since))
        there = self.box.by_uid()
        done = [(number, known) for number, known in chosen if known.uid in there and known.uid not in failed]
        for _, known in done:
            message = there[known.uid]
            after = {"add": known.flags | flags, "remove": known.flags - flags, "replace": flags}[change]
            if not silent or after == message.flags:
                known.flags, known.tick = message.flags, message.tick
        if not silent or self.aware:
            lines += self.new_keywords()
            agreed = [(number, known) for number, known in done if known.tick == there[known.uid].tick]
            lines += [
                self.fetch_line(
                    n, known, uid=(by_uid or self.aware) and not self.uid_only, flags=not silent, modseq=self.aware
                )
                for n, known in agreed
            ]
        gone = any(known.uid not in there for _, known in chosen)
        if failed:
            code = number_set(known.uid if by_uid else number for number, known in chosen if known.uid in failed)
            return lines, ("NO" if gone and not by_uid else "OK") + f" [MODIFIED {code}]"
        return lines, "OK [EXPUNGEISSUED]" if gone else "OK"

    def _learn(self):
        """A command that shows that the client knows of mod-sequences (RFC 7162 3.1)."""
        if self.aware:
            return []
        self.aware = True
        return [f"* OK [HIGHESTMODSEQ {self.modseq(self.told)}]"]

    def fetch(self, numbers, by_uid, items, since=None, earlier=None, page=None):
        """`items` of FLAGS, UID, MODSEQ, RFC822.SIZE, BODY[]; BODY[] marks as read.

        earlier: (CHANGEDSINCE … VANISHED), of these UIDs. page: (PARTIAL …).
        """
        lines = self._learn() if since is not None or "MODSEQ" in items else []
        if since is not None:
            items = {*items, "MODSEQ"}
            lines += self.catch_up(expunges=by_uid, by_uid=by_uid)
        if earlier is not None:
            lines += self._vanished_earlier(since, earlier)
        chosen = [one for one in self.chosen(numbers, by_uid) if since is None or one[1].tick > since]
        if page is not None:
            chosen = page.of(chosen)
        there = self.box.by_uid()
        marked = set()
        if "BODY[]" in items and not self.read_only:
            lacking = {known.uid for _, known in chosen if "\\Seen" not in known.flags}
            self.box.store(lacking, "add", frozenset({"\\Seen"}))
            for _, known in chosen:
                if known.uid in lacking and known.uid in there:
                    known.flags, known.tick = there[known.uid].flags, there[known.uid].tick
            marked = lacking
        gone = False
        for number, known in chosen:
            unreadable = "RFC822.SIZE" in items or ("BODY[]" in items and known.uid in self.box.lost)
            if known.uid not in there and unreadable:
                gone = True
                continue
            rest = []
            if "RFC822.SIZE" in items:
                rest.append(f"RFC822.SIZE {len(known.octets)}")
            if "BODY[]" in items:
                rest.append("BODY[] " + literal(known.octets))
            shown = known.uid in marked
            lines.append(self.fetch_line(
                number, known,
                uid="UID" in items or ((by_uid or (self.aware and "BODY[]" in items)) and not self.uid_only),
                flags="FLAGS" in items or shown, modseq="MODSEQ" in items or (shown and self.aware),
                rest=" ".join(rest),
            ))  # fmt: skip
        return lines, "OK [EXPUNGEISSUED]" if gone else "OK"

    def search(self, matches, by_uid, returning=None, tag="", *, modseq=False, page=None):
        """`matches(number, known)` says which; `returning` holds MIN, MAX, COUNT, ALL, SAVE; None is a plain SEARCH.

        modseq: a key asks for mod-sequences, so the highest of what the answer is about is told. page: PARTIAL.
        """
        lines = self._learn() if modseq else []
        found = [(number, known) for number, known in enumerate(self.view, 1) if matches(number, known)]
        numbers = [known.uid if by_uid else number for number, known in found]
        if returning is None and not self.rev2:
            line = "* SEARCH" + "".join(f" {number}" for number in numbers)
            return [*lines, line + (f" (MODSEQ {self._highest_of(found)})" if modseq and found else "")], "OK"
        returning = set(returning or ()) or ({"ALL"} if page is None else set())
        about = found
        if not returning & {"ALL", "COUNT"} and (returning & {"MIN", "MAX"} or page is not None):
            about = found[:1] * ("MIN" in returning) + found[-1:] * ("MAX" in returning)
            about += [] if page is None else page.of(found)
        if "SAVE" in returning:
            self.saved = {known.uid for _, known in about}
            if returning == {"SAVE"} and page is None:
                return lines, "OK"
        line = f'* ESEARCH (TAG "{tag}")' + (" UID" if by_uid else "")
        if numbers:
            line += f" MIN {numbers[0]}" if "MIN" in returning else ""
            line += f" MAX {numbers[-1]}" if "MAX" in returning else ""
        line += f" COUNT {len(numbers)}" if "COUNT" in returning else ""
        line += f" ALL {number_set(numbers)}" if "ALL" in returning and numbers else ""
        if page is not None:
            line += f" PARTIAL ({page.text} {number_set(page.of(numbers)) or 'NIL'})"
        line += f" MODSEQ {self._highest_of(about)}" if modseq and about else ""
        return [*lines, line], "OK"

    def _highest_of(self, found):
        return self.modseq(max(known.tick for _, known in found))

    def copy(self, chosen, target, *, may_be_gone, by_uid, moving=False):
        """`chosen` as of `chosen()`. The copies keep flags and octets; MOVE says COPYUID first, then what has left."""
        if moving and self.read_only:
            return [], "NO"
        there = self.box.by_uid()
        sources = [there[known.uid] for _, known in chosen if known.uid in there]
        if not sources:
            return [], "OK" if may_be_gone else "NO [EXPUNGEISSUED]"
        pairs = [(message.flags, message.octets) for message in sources]
        targets = target.add(pairs)
        if moving:
            self.box.remove({message.uid for message in sources})
        code = f"[COPYUID <validity:{target.key}> {number_set(m.uid for m in sources)} {number_set(targets)}]"
        if not moving:
            return [], "OK " + code
        return ["* OK " + code, *self.catch_up(by_uid=by_uid)], self._ended()

    def replace(self, known, target, pair, by_uid):
        """`known` is None for a UID that is not there. What comes is told before what goes (RFC 8508 4.3)."""
        if self.read_only:
            return [], "NO"
        if known is None or known.uid not in self.box.by_uid():
            return [], "NO [EXPUNGEISSUED]"
        (uid,) = target.add([pair])
        self.box.remove({known.uid})
        come = f"* OK [APPENDUID <validity:{target.key}> {uid}]"
        return [come, *self.catch_up(by_uid=by_uid)], self._ended()

    def expunge(self, uids=None):
        if self.read_only:
            return [], "NO"
        known = None if uids is None else {known.uid for known in self.view if known.uid in uids}
        self.box.expunge(known)
        return self.catch_up(by_uid=uids is not None), self._ended()

    def _ended(self):
        """Who knows of mod-sequences is told how far it has come (RFC 7162 3.2.7)."""
        return f"OK [HIGHESTMODSEQ {self.modseq(self.told)}]" if self.aware else "OK"

    def close(self, *, expunging):
        if expunging and not self.read_only:
            self.box.expunge()
        self.leave()
        return [], "OK"


def status(box, counting):
    """The line of STATUS for all that is counted."""
    unseen = sum("\\Seen" not in message.flags for message in box.messages)
    deleted = sum("\\Deleted" in message.flags for message in box.messages)
    size = sum(len(message.octets) for message in box.messages)
    recent = sum(message.uid >= box.recent_from for message in box.messages)
    return (
        f"* STATUS {box.name} (MESSAGES {len(box.messages)} RECENT {recent} UIDNEXT {box.uidnext}"
        f" UIDVALIDITY <validity:{box.key}> UNSEEN {unseen} DELETED {deleted} SIZE {size} MAILBOXID (<id:{box.key}>)"
        + (f" HIGHESTMODSEQ <m:{box.key}:{box.tick}>" if counting else "")
        + ")"
    )
