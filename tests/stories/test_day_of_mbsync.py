"""A day of mbsync: a Maildir on a laptop and the mailbox, kept the same while mail comes and both sides change."""

import re
import shutil

import pytest

from tests.stories.copies import WORD, in_maildir
from tests.stories.house import needs
from tests.stories.running import ran

TUID = re.compile(rb"X-TUID: [^\r\n]*\r?\n")
"""The field by which mbsync finds its own messages again."""
KEPT = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted")
TRASH = "Deleted Items"
AS_READ = {"Projects/Gr&APYA3w-e": "Projects/Größe", "Plans/Gr&APYA3w-e": "Plans/Größe"}


def plain(octets):
    return TUID.sub(b"", octets)


class Laptop:
    """The near side: a Maildir with folders beside INBOX, and the program that keeps it. `talk`: all that was said."""

    def __init__(self, day, folder, *settings):
        self.local = folder / "mail"
        self.talk = ""
        self.local.mkdir()
        self._rc = folder / "mbsyncrc"
        self._rc.write_text(
            f"IMAPAccount node\nHost localhost\nPort {day.house.ports['imaps']}\nUser {day.alias}\n"
            f"Pass {day.password}\nSSLType IMAPS\nCertificateFile {day.house.folder}/tls/cert.pem\n"
            + "".join(f"{line}\n" for line in settings)
            + f'\nIMAPStore far\nAccount node\nTrash "{TRASH}"\n\nMaildirStore near\nPath {self.local}/\n'
            f"Inbox {self.local}/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\n"
            f'Patterns * "!{TRASH}"\nCreate Both\nRemove Both\nExpunge Both\nCopyArrivalDate yes\nSyncState *\n'
        )

    def sync(self):
        self.talk += ran("mbsync", "-c", str(self._rc), "-Dn", "all")

    def _cur(self, folder="INBOX"):
        return self.local / folder / "cur"

    def folders(self):
        found = {str(cur.parent.relative_to(self.local)) for cur in self.local.glob("**/cur")}
        return {AS_READ.get(name, name) for name in found}

    def copies(self):
        written = {name: directory for directory, name in AS_READ.items()}
        return [copy for name in self.folders() for copy in in_maildir(self.local / written.get(name, name), name)]

    def make(self, folder):
        for part in ("cur", "new", "tmp"):
            (self.local / folder / part).mkdir(parents=True)

    def empty(self, folder):
        for part in ("cur", "new"):
            for path in (self.local / folder / part).iterdir():
                path.unlink()

    def drop(self, folder):
        """Without `cur` a folder is no more, mbsync says."""
        shutil.rmtree(self._cur(folder))

    def files(self, words):
        """The files of these messages in INBOX."""
        paths = [path for part in ("cur", "new") for path in (self.local / "INBOX" / part).iterdir()]
        found = {WORD.search(path.read_bytes())[1].decode(): path for path in paths}
        return [found[word] for word in words]

    def flag(self, words, letter):
        """As a mail reader does it: the letter goes to the name, the file to `cur`."""
        for path in self.files(words):
            name, _, letters = path.name.partition(":2,")
            path.rename(self._cur() / f"{name}:2,{''.join(sorted({*letters, letter}))}")

    def write(self, word, octets, folder, letters):
        (self._cur(folder) / f"{word}.laptop:2,{letters}").write_bytes(octets.replace(b"\r\n", b"\n"))

    def file(self, words, target):
        """Move files of INBOX to another folder; mbsync's own mark in the name goes."""
        for path in self.files(words):
            path.rename(self._cur(target) / re.sub(r",U=\d+", "", path.name))


def the_phone(day, words):
    """Another client, which makes folders and files answered messages there."""
    with day.house.imap(day.alias) as phone:
        phone.select("INBOX")
        phone.create("Projects")
        phone.create('"Projects/Gr&APYA3w-e"')
        for word, target in zip(words, ("Projects", '"Projects/Gr&APYA3w-e"', "Projects"), strict=True):
            [uid] = phone.uid("SEARCH", "SUBJECT", word)[1]
            phone.uid("STORE", uid.decode(), "+FLAGS", "(\\Flagged \\Answered)")
            assert phone.uid("MOVE", uid.decode(), target)[0] == "OK"
    day.flagged(words, "\\Flagged", "\\Answered")
    day.moved(words[::2], "Projects")
    day.moved(words[1:2], "Projects/Größe")


def the_laptop(day, laptop, words):
    """Reads, flags, throws away; writes four messages, two of them in folders that are new."""
    laptop.flag(words[:6], "S")
    laptop.flag(words[4:8], "F")
    laptop.flag(words[8:11], "T")
    day.flagged(words[:6], "\\Seen")
    day.flagged(words[4:8], "\\Flagged")
    day.flagged(words[8:11], "\\Deleted")
    day.moved(words[8:11], TRASH)
    laptop.make("Laptop")
    laptop.make("Short")
    for folder, letters, flags in (
        ("Laptop", "S", ["\\Seen"]), ("INBOX", "", []), ("INBOX", "FS", ["\\Seen", "\\Flagged"]), ("Short", "", []),
    ):  # fmt: skip
        word, octets = day.letter()
        laptop.write(word, octets, folder, letters)
        day.put(word, octets, folder, *flags)


def live(day, laptop):
    first = day.more(20)
    laptop.sync()
    assert set(first) <= {copy.word for copy in laptop.copies()}
    the_phone(day, first[:3])
    the_laptop(day, laptop, first[4:])
    laptop.sync()
    day.more(5)

    # What is filed on the laptop is new in one folder there, and in the trash from the other.
    laptop.file(first[15:17], "Laptop")
    day.copied(first[15:17], "Laptop")
    day.flagged(first[15:17], "\\Deleted")
    day.moved(first[15:17], TRASH)
    with day.house.imap(day.alias) as phone:
        assert phone.rename("Projects", "Plans")[0] == "OK"
        day.renamed("Projects", "Plans")
    laptop.empty("Short")
    day.flagged(day.words_in("Short"), "\\Deleted", folder="Short")
    day.moved(day.words_in("Short"), TRASH, source="Short")
    laptop.sync()

    laptop.drop("Short")
    shutil.rmtree(laptop.local / "Projects")  # mbsync removes no folder with messages, and says so
    day.evening()
    laptop.sync()
    folders = day.compare(laptop.copies(), plain=plain, flags=KEPT, sent=plain, beside=[TRASH])
    assert laptop.folders() == folders - {TRASH}
    assert {"Plans", "Plans/Größe"} <= folders and not {"Projects", "Short"} & folders


def expect_said(laptop, *words):
    assert {word: word in laptop.talk for word in words} == dict.fromkeys(words, True)


@pytest.mark.parametrize("day", [2], indirect=True)
def test_a_day(day, tmp_path):
    """Flags, deletions, new messages and folders go both ways; what one side threw away is in the trash of the node."""
    needs("mbsync", "isync")
    laptop = Laptop(day, tmp_path)
    live(day, laptop)
    expect_said(laptop, "COMPRESS DEFLATE", "UID MOVE ", "+}", "in progress) >>>", "[APPENDUID ")


def test_a_day_of_old(day, tmp_path):
    """With one command at a time and no extension: COPY for MOVE, CLOSE for UID EXPUNGE, literals waited for."""
    needs("mbsync", "isync")
    extensions = "UIDPLUS MOVE LITERAL+ COMPRESS=DEFLATE NAMESPACE"
    laptop = Laptop(day, tmp_path, f"DisableExtensions {extensions}", "PipelineDepth 1")
    live(day, laptop)
    expect_said(laptop, "UID COPY ", " CLOSE\n", "+ Ready")
    assert not re.search(r"in progress\) >>>|>>> \d+ (COMPRESS|UID MOVE|UID EXPUNGE|NAMESPACE)", laptop.talk)
