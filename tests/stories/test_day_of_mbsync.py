"""A day of mbsync: a Maildir on a laptop and the mailbox, kept the same while mail comes and both sides change."""

import re
import shutil

import pytest

from tests.stories.house import needs
from tests.stories.laptop import LocalMail, write_letter
from tests.stories.phone import Phone
from tests.stories.running import ran

TUID = re.compile(rb"X-TUID: [^\r\n]*\r?\n")
"""The field by which mbsync finds its own messages again."""
KEPT = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted")
TRASH = "Deleted Items"
WRITTEN = {"Projects/Größe": "Projects/Gr&APYA3w-e", "Plans/Größe": "Plans/Gr&APYA3w-e"}


def plain(octets):
    return TUID.sub(b"", octets)


class Mbsync:
    """The program, and the Maildir `mail` that it keeps. `talk`: all that was said."""

    def __init__(self, day, folder, *settings):
        self.mail = LocalMail(folder / "mail", written=WRITTEN)
        self.talk = ""
        self._rc = folder / "mbsyncrc"
        self._rc.write_text(
            f"IMAPAccount node\nHost localhost\nPort {day.house.ports['imaps']}\nUser {day.alias}\n"
            f"Pass {day.password}\nSSLType IMAPS\nCertificateFile {day.house.folder}/tls/cert.pem\n"
            + "".join(f"{line}\n" for line in settings)
            + f'\nIMAPStore far\nAccount node\nTrash "{TRASH}"\n\nMaildirStore near\nPath {self.mail.path}/\n'
            f"Inbox {self.mail.path}/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\n"
            f'Patterns * "!{TRASH}"\nCreate Both\nRemove Both\nExpunge Both\nCopyArrivalDate yes\nSyncState *\n'
        )

    def sync(self):
        self.talk += ran("mbsync", "-c", str(self._rc), "-Dn", "all")


def empty(folder):
    for part in ("cur", "new"):
        for path in (folder / part).iterdir():
            path.unlink()


def on_the_laptop(day, mail, words):
    """Reads, flags, throws away; writes four messages, two of them in folders that are new."""
    mail.flag(words[:6], "S")
    mail.flag(words[4:8], "F")
    mail.flag(words[8:11], "T")
    day.flagged(words[:6], "\\Seen")
    day.flagged(words[4:8], "\\Flagged")
    day.flagged(words[8:11], "\\Deleted")
    day.moved(words[8:11], TRASH)
    mail.make("Laptop")
    mail.make("Short")
    for folder, letters in (("Laptop", "S"), ("INBOX", ""), ("INBOX", "FS"), ("Short", "")):
        write_letter(day, mail, folder, letters)


def live(day, mbsync):
    mail, first = mbsync.mail, day.more(20)
    mbsync.sync()
    assert set(first) <= mail.words_in("INBOX")
    with Phone(day) as phone:
        phone.make("Projects")
        phone.make("Projects/Größe")
        phone.flag(first[:3], "\\Flagged", "\\Answered")
        phone.file(first[:2], "Projects")
        phone.file(first[2:3], "Projects/Größe")
    on_the_laptop(day, mail, first[4:])
    mbsync.sync()
    day.more(5)

    # What is filed on the laptop is new in one folder there, and in the trash from the other.
    mail.file(first[15:17], "Laptop")
    day.copied(first[15:17], "Laptop")
    day.flagged(first[15:17], "\\Deleted")
    day.moved(first[15:17], TRASH)
    with Phone(day) as phone:
        phone.rename("Projects", "Plans")
    empty(mail.path / "Short")
    day.flagged(day.words_in("Short"), "\\Deleted", folder="Short")
    day.moved(day.words_in("Short"), TRASH, source="Short")
    mbsync.sync()

    shutil.rmtree(mail.path / "Short" / "cur")  # without it a folder is no more, mbsync says
    shutil.rmtree(mail.path / "Projects")  # mbsync itself removes no folder with messages
    day.evening()
    mbsync.sync()
    folders = day.compare(mail.copies(), plain=plain, flags=KEPT, sent=plain, beside=[TRASH])
    assert mail.folders() == folders - {TRASH}
    assert {"Plans", "Plans/Größe"} <= folders and not {"Projects", "Short"} & folders


def expect_said(mbsync, *words):
    assert {word: word in mbsync.talk for word in words} == dict.fromkeys(words, True)


@pytest.mark.parametrize("day", [2], indirect=True)
def test_a_day(day, tmp_path):
    """Flags, deletions, new messages and folders go both ways; what one side threw away is in the trash of the node."""
    needs("mbsync", "isync")
    mbsync = Mbsync(day, tmp_path)
    live(day, mbsync)
    expect_said(mbsync, "COMPRESS DEFLATE", "UID MOVE ", "+}", "in progress) >>>", "[APPENDUID ")


def test_a_day_of_old(day, tmp_path):
    """With one command at a time and no extension: COPY for MOVE, CLOSE for UID EXPUNGE, literals waited for."""
    needs("mbsync", "isync")
    extensions = "UIDPLUS MOVE LITERAL+ COMPRESS=DEFLATE NAMESPACE"
    mbsync = Mbsync(day, tmp_path, f"DisableExtensions {extensions}", "PipelineDepth 1")
    live(day, mbsync)
    expect_said(mbsync, "UID COPY ", " CLOSE\n", "+ Ready")
    assert not re.search(r"in progress\) >>>|>>> \d+ (COMPRESS|UID MOVE|UID EXPUNGE|NAMESPACE)", mbsync.talk)
