"""A day of curl: a shell script's way through a mailbox, a URL or a request at a time, and IDLE by hand."""

import re
import urllib.parse

from tests.stories.copies import copy_of
from tests.stories.house import needs
from tests.stories.running import Program, ran

SIZE = "Gr&APYA3w-e"
"""Größe, as IMAP4rev1 writes it."""


class Curl:
    """`near` holds what it downloaded: a file for each message, in a folder for each folder."""

    def __init__(self, day, folder):
        self._day = day
        self.near = folder / "near"
        self._letter = folder / "letter"
        self._url = f"imaps://localhost:{day.house.ports['imaps']}/"
        self._options = (
            "--silent", "--show-error", "--cacert", str(day.house.folder / "tls" / "cert.pem"),
            "--user", f"{day.alias}:{day.password}", "--login-options", "AUTH=PLAIN",
        )  # fmt: skip

    def _at(self, folder="", rest=""):
        return self._url + urllib.parse.quote(folder, safe="/") + rest

    def asks(self, *requests, folder=""):
        """What came back for custom requests, one after the other over one connection, with a folder open."""
        groups = []
        for request in requests:
            groups += [*(["--next"] if groups else []), *self._options, "--request", request, self._at(folder)]
        return ran("curl", *groups)

    def finds(self, criteria, folder="INBOX"):
        """The UIDs, found by a URL."""
        said = self.asks(f"UID SEARCH {criteria}", folder=folder)
        return re.search(r"\* SEARCH([ \d]*)", said)[1].split()

    def uids(self, words, folder="INBOX"):
        return ",".join(uid for word in words for uid in self.finds(f"SUBJECT {word}", folder))

    def puts(self, octets, folder):
        self._letter.write_bytes(octets)
        ran("curl", *self._options, "--upload-file", str(self._letter), self._at(folder))

    def downloads(self, folder):
        """All messages of a folder, over one connection, and their flags."""
        near = self.near / folder.replace("/", "+")
        if uids := self.finds("ALL", folder):
            rest = ";UID={" + ",".join(uids) + "}"
            ran("curl", *self._options, "--create-dirs", "--output", f"{near}/#1", self._at(folder, rest))
        said = self.asks("UID FETCH 1:* (FLAGS)", folder=folder) if uids else ""
        flags = {uid: words.split() for words, uid in re.findall(r"FLAGS \((.*?)\) UID (\d+)", said)}
        flags |= {uid: words.split() for uid, words in re.findall(r"UID (\d+) FLAGS \((.*?)\)", said)}
        return [copy_of(folder.replace(SIZE, "Größe"), flags[uid], (near / uid).read_bytes()) for uid in uids]


    def by_hand(self):
        """A connection on which the story types. `.`: curl must not wait for what is typed while it could hear."""
        where = f"telnet://localhost:{self._day.house.ports['imap']}"
        return Program("curl", "--silent", "--show-error", "--no-buffer", "--upload-file", ".", where)


def type_in(program, line, answer):
    program.process.stdin.write(f"{line}\r\n")
    program.process.stdin.flush()
    program.hears(answer)


def watch(day, curl):
    """INBOX in IDLE until mail has come and another connection has flagged a message."""
    with curl.by_hand() as line:
        type_in(line, f"a LOGIN {day.alias} {day.password}", "a OK")
        type_in(line, "b SELECT INBOX", "b OK")
        type_in(line, "c IDLE", "+ idling")
        line.hears(" EXISTS", 3)
        [word] = day.more(1)
        curl.asks(f"UID STORE {curl.uids([word])} +FLAGS (\\Answered)", folder="INBOX")
        day.flagged([word], "\\Answered")
        line.hears("\\Answered", 2)
        type_in(line, "DONE", "c OK")
        type_in(line, "d LOGOUT", "d OK")


def test_a_day(day, tmp_path):
    """Each step is a URL or a custom request; flags, folders, MOVE, SORT, quota, changes since; IDLE is typed."""
    needs("curl")
    curl = Curl(day, tmp_path)
    first = day.more(20)
    said = curl.asks(f'CREATE "{SIZE}"', 'CREATE "Projects/New"', 'CREATE "Short"', 'SUBSCRIBE "Projects/New"',
                     'LIST (SUBSCRIBED) "" * RETURN (SPECIAL-USE CHILDREN)')  # fmt: skip
    assert '* LIST (\\Subscribed \\HasNoChildren) "/" Projects/New' in said

    # Flags, and what changed since they were set.
    uids = curl.uids(first[:4])
    curl.asks(f"UID STORE {uids} +FLAGS.SILENT (\\Flagged $Urgent)", folder="INBOX")
    day.flagged(first[:4], "\\Flagged", "$Urgent")
    assert curl.finds("KEYWORD $Urgent") == uids.split(",")
    said = curl.asks("UID SORT (REVERSE ARRIVAL) UTF-8 FLAGGED", folder="INBOX")
    assert sorted(said.split()[2:], key=int) == uids.split(",")
    modseq = re.search(r"HIGHESTMODSEQ (\d+)", curl.asks("STATUS INBOX (HIGHESTMODSEQ)"))[1]
    curl.asks(f"UID STORE {curl.uids(first[4:6])} +FLAGS (\\Seen)", folder="INBOX")
    day.flagged(first[4:6], "\\Seen")
    said = curl.asks("ENABLE QRESYNC", f"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)", folder="INBOX")
    assert said.count("(\\Seen)") == 2

    # Filed, copied, thrown away, saved; folders renamed and deleted.
    assert "COPYUID" in curl.asks(f'UID MOVE {curl.uids(first[3:7])} "{SIZE}"', folder="INBOX")
    day.moved(first[3:7], "Größe")
    curl.asks(f"UID COPY {curl.uids(first[7:9])} Archive", folder="INBOX")
    day.copied(first[7:9], "Archive")
    gone = curl.uids(first[9:12])
    curl.asks(f"UID STORE {gone} +FLAGS.SILENT (\\Deleted)", f"UID EXPUNGE {gone}", folder="INBOX")
    day.gone(first[9:12])
    for folder, read in ((SIZE, "Größe"), ("Short", "Short"), ("INBOX", "INBOX")):
        word, octets = day.letter()
        curl.puts(octets, folder)
        day.put(word, octets, read, "\\Seen")
    curl.asks(f'RENAME "{SIZE}" "Projects/{SIZE}"', "DELETE Short")
    day.renamed("Größe", "Projects/Größe")
    day.gone(day.words_in("Short"), folder="Short")
    assert 'QUOTAROOT INBOX ""' in curl.asks("GETQUOTAROOT INBOX")

    watch(day, curl)
    day.evening()
    near = [copy for name in ("INBOX", "Archive", f"Projects/{SIZE}") for copy in curl.downloads(name)]
    for folder in ("INBOX", "Archive", "Projects/Größe"):  # a URL asks for BODY[], which marks as read
        day.flagged(day.words_in(folder), "\\Seen", folder=folder)
    assert {"Projects/Größe", "Projects/New"} <= day.compare(near)
