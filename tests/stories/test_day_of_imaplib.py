"""A day of Python's imaplib: a program that keeps a copy of the mailbox by QRESYNC, and works by plain commands."""

import re

from tests.stories.copies import copy_of
from tests.stories.day import Day

PAPERS, OLD_PAPERS = "Gr&APYA3w-e", "Papiere/Gr&APYA3w-e"
AS_READ = {PAPERS: "Größe", OLD_PAPERS: "Papiere/Größe"}


def ok(answer):
    status, data = answer
    assert status == "OK", data
    return data


def quoted(folder):
    return f'"{folder}"'


class Mirror:
    """What a client keeps of one folder: `messages` by UID, (flags, octets), and how far it knows the folder."""

    def __init__(self, folder):
        self.folder = folder
        self.uidvalidity = self.modseq = None
        self.messages = {}

    def refresh(self, box):
        """Open the folder, take over what changed since the last time, which names what is new, and fetch that."""
        known = f" (QRESYNC ({self.uidvalidity} {self.modseq}))" if self.modseq else ""
        box.untagged_responses = {}
        ok(box._simple_command("SELECT", quoted(self.folder) + known))
        box.state = "SELECTED"
        self._take(box)
        [uidvalidity] = box.response("UIDVALIDITY")[1]
        assert self.uidvalidity in (None, int(uidvalidity)), "the folder is another one"
        self.uidvalidity, self.modseq = int(uidvalidity), int(box.response("HIGHESTMODSEQ")[1][0])
        new = [uid for uid, (_, octets) in self.messages.items() if octets is None]
        if new or not known:
            self._take(box, ok(box.uid("FETCH", listed(new) if known else "1:*", "(FLAGS BODY.PEEK[])")))
        return self

    def _take(self, box, fetched=()):
        """What was told untagged: messages with their flags, and UIDs that are no more."""
        for part in (*box.untagged_responses.pop("FETCH", []), *fetched):
            head, octets = part if isinstance(part, tuple) else (part, None)
            if head in (b")", None):
                continue
            uid = int(re.search(rb"UID (\d+)", head)[1])
            flags = re.search(rb"FLAGS \((.*?)\)", head)[1].decode().split()
            self.messages[uid] = (flags, self.messages.get(uid, (None, None))[1] if octets is None else octets)
        for words in box.untagged_responses.pop("VANISHED", []):
            for first, last in re.findall(rb"(\d+)(?::(\d+))?", words.rpartition(b" ")[2]):
                for uid in range(int(first), int(last or first) + 1):
                    self.messages.pop(uid, None)
        if b"EXPUNGE" in box.untagged_responses:
            raise AssertionError("EXPUNGE to a client that said QRESYNC")

    def uids(self, words):
        """The UIDs of these messages."""
        found = {self.copy(uid).word: uid for uid in self.messages}
        return [found[word] for word in words]

    def copy(self, uid):
        flags, octets = self.messages[uid]
        return copy_of(AS_READ.get(self.folder, self.folder), flags, octets)

    def copies(self):
        return [self.copy(uid) for uid in self.messages]


def listed(uids):
    return ",".join(str(uid) for uid in uids)


def spans(uids):
    """UIDs that follow each other, as a server writes them."""
    return f"{min(uids)}:{max(uids)}".encode()


def idle_until(box, true):
    """IDLE until an untagged line is so; that line."""
    box.send(b"i1 IDLE\r\n")
    line = box.readline()
    while not true(line):
        assert line, "the connection ended in IDLE"
        line = box.readline()
    box.send(b"DONE\r\n")
    last = line
    while not last.startswith(b"i1 "):
        last = box.readline()
    assert last.startswith(b"i1 OK"), last
    return line


def test_a_day(day: Day):
    """Copied by QRESYNC from first to last, while another connection flags, files, renames and deletes."""
    mine = {name: Mirror(name) for name in ("INBOX", PAPERS, "Archive")}
    with day.house.imap(day.alias) as box, day.house.imap(day.alias, "imap") as other:
        ok(box.enable("QRESYNC"))
        ok(box.create(quoted(PAPERS)))
        ok(box.subscribe(quoted(PAPERS)))
        first = day.more(20)
        inbox = mine["INBOX"].refresh(box)
        idle_until(box, lambda line: line.endswith(b" EXISTS\r\n"))

        # Flags by both, and a STORE that must not undo what the other one did.
        ok(box.uid("STORE", listed(inbox.uids(first[:8])), "+FLAGS.SILENT", "(\\Seen)"))
        day.flagged(first[:8], "\\Seen")
        ok(other.select("INBOX"))
        ok(other.uid("STORE", listed(inbox.uids(first[4:12])), "+FLAGS", "(\\Flagged $Urgent)"))
        day.flagged(first[4:12], "\\Flagged", "$Urgent")
        since = f"(UNCHANGEDSINCE {inbox.modseq})"
        ok(box.uid("STORE", listed(inbox.uids(first[:12])), since, "+FLAGS.SILENT", "(\\Answered)"))
        assert box.response("MODIFIED")[1] == [spans(inbox.uids(first[:12]))]
        inbox.refresh(box)
        answered = [word for word in first[:12] if "\\Answered" in inbox.copy(*inbox.uids([word])).flags]
        assert answered == []
        ok(box.uid("STORE", listed(inbox.uids(first[:2])), "+FLAGS", "(\\Answered)"))
        day.flagged(first[:2], "\\Answered")

        # Saved by itself, found again, sorted, threaded.
        for number in range(3):
            word, octets = day.letter()
            ok(box.append(quoted(PAPERS), "(\\Seen \\Draft)", None, octets))
            day.put(word, octets, "Größe", "\\Seen", "\\Draft")
            assert ok(box.uid("SEARCH", "SUBJECT", first[number])) == [str(*inbox.uids([first[number]])).encode()]
        urgent = inbox.uids(first[4:12])
        assert ok(box.uid("SEARCH", "KEYWORD", "$Urgent")) == [listed(urgent).replace(",", " ").encode()]
        assert sorted(map(int, ok(box.uid("SORT", "(SUBJECT)", "UTF-8", "FLAGGED"))[0].split())) == sorted(urgent)
        assert ok(box.uid("THREAD", "REFERENCES", "UTF-8", "KEYWORD", "$Urgent"))[0].count(b"(") >= 1

        # Filed, copied, thrown away; folders renamed and deleted under the copy.
        ok(box.uid("MOVE", listed(inbox.uids(first[:6])), quoted(PAPERS)))
        day.moved(first[:6], "Größe")
        ok(other.uid("COPY", listed(inbox.uids(first[6:10])), "Archive"))
        day.copied(first[6:10], "Archive")
        ok(box.uid("STORE", listed(inbox.uids(first[12:18])), "+FLAGS.SILENT", "(\\Deleted)"))
        ok(box.uid("EXPUNGE", listed(inbox.uids(first[12:16]))))
        day.gone(first[12:16])
        day.flagged(first[16:18], "\\Deleted")
        for mirror in mine.values():
            mirror.refresh(box)
        ok(other.create("Papiere"))
        ok(other.rename(quoted(PAPERS), quoted(OLD_PAPERS)))
        day.renamed("Größe", "Papiere/Größe")
        mine[OLD_PAPERS] = papers = mine.pop(PAPERS)
        papers.folder = OLD_PAPERS
        papers.refresh(box)
        assert set(papers.uids(first[:6])) <= set(papers.messages)
        ok(box.create("Short"))
        ok(box.copy("1:2", "Short"))
        ok(box.delete("Short"))
        day.more(10)
        assert ok(other.close())
        day.gone(first[16:18])

        day.evening()
        near = [copy for mirror in mine.values() for copy in mirror.refresh(box).copies()]
        assert day.compare(near) >= {"INBOX", "Papiere", "Papiere/Größe", "Archive"}
        assert len(day.words_in("INBOX")) > 10
