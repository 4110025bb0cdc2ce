"""A day of mutt: a person at a terminal who reads, files and throws away, with a header cache kept by QRESYNC."""

import os
import re

from tests.stories.copies import in_maildir
from tests.stories.house import needs, until
from tests.stories.phone import Phone
from tests.stories.running import Terminal

KEPT = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft")
SETTINGS = """\
set imap_user="{user}"
set imap_pass="{password}"
set folder="{server}"
set spoolfile="+INBOX"
set certificate_file="{certificate}"
set ssl_verify_host=no
set ssl_verify_dates=no
set header_cache="{home}/headers"
set message_cachedir="{home}/bodies"
set imap_condstore=yes
set imap_qresync=yes
set imap_idle=yes
set imap_servernoise=no
set mbox_type=Maildir
set confirmappend=no
set confirmcreate=no
set delete=yes
set quit=yes
set move=no
set mark_old=no
set copy=no
set sleep_time=0
set timeout=1
set mail_check=1
set new_mail_command="echo new >> {home}/bell"
set sort=mailbox-order
set index_format="%C %s"
"""


def plain(octets):
    """Without the fields that it adds to each message it writes."""
    return re.sub(rb"(?s)\A(.*?\r\n)Content-Length: \d+\r\n(?:Lines: \d+\r\n)?(\r\n)", rb"\1\2", octets, count=1)


class Mutt:
    """`talk`: what was said to the node and by it."""

    def __init__(self, day, folder):
        self.home = folder
        self.talk = ""
        self._rc = folder / "muttrc"
        self._rc.write_text(SETTINGS.format(
            user=day.alias, password=day.password, home=folder, certificate=day.house.folder / "tls" / "cert.pem",
            server=f"imaps://127.0.0.1:{day.house.ports['imaps']}/",
        ))  # fmt: skip
        (folder / "headers").mkdir()
        (folder / "near").mkdir()
        self._env = {**os.environ, "TERM": "xterm", "HOME": str(folder), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
                     "LINES": "24", "COLUMNS": "100"}  # fmt: skip

    def at(self, folder, *keys):
        """mutt at work in a folder; `keys` are pushed first."""
        push = f'push "{"".join(keys)}"'
        return Terminal("mutt", "-n", "-d", "3", "-F", str(self._rc), "-e", push, "-f", folder, env=self._env)

    def does(self, *keys, folder="+INBOX"):
        """Push the keys and wait until it has ended well."""
        with self.at(folder, *keys, "<sync-mailbox><quit>") as screen:
            assert screen.ends() == 0, screen.seen[-3000:]
        self.heard()

    def heard(self):
        self.talk += (self.home / ".muttdebug0").read_text(errors="replace")

    def bell(self):
        """How often it said that there is new mail."""
        file = self.home / "bell"
        return file.read_text().count("new") if file.exists() else 0

    def copies(self, folders):
        """What it has of each folder, copied to a Maildir here."""
        copies = []
        for number, name in enumerate(folders):
            near = self.home / "near" / str(number)
            self.does(tagged("~A"), f"<tag-prefix><copy-message>{near}<enter>", folder=f"+{name}")
            copies += in_maildir(near, name)
        return copies


def tagged(pattern):
    return f"<untag-pattern>~A<enter><tag-pattern>{pattern}<enter>"


def subjects(words):
    return "|".join(f"~s {word}" for word in words)


def local_maildir(folder, letters):
    """A Maildir with these messages, as another program left it."""
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    for word, octets in letters:
        (folder / "new" / f"{word}.laptop").write_bytes(octets.replace(b"\r\n", b"\n"))


def assert_said(talk):
    """It used what it can: names in UTF-8, changes since the last time, what is gone since, IDLE."""
    for said in (
        r"ENABLE UTF8=ACCEPT", r"ENABLE QRESYNC", r"CHANGEDSINCE \d+ VANISHED", r"VANISHED \(EARLIER\) ",
        r"DONE\s+a\d+ UID COPY|DONE\s+a\d+ STATUS", r"UID SEARCH \(OR HEADER ", r"RENAME ", r"DELETE ", r"APPEND ",
    ):  # fmt: skip
        assert re.search(said, talk), said


def test_a_day(day, tmp_path):
    """Flagged, filed, copied, thrown away, searched on the server, folders made, renamed and deleted; told in IDLE."""
    needs("mutt")
    mutt = Mutt(day, tmp_path)
    first = day.more(20)
    mutt.does(
        tagged(subjects(first[:4])), "<tag-prefix><set-flag>!",
        tagged(subjects(first[2:6])), "<tag-prefix><clear-flag>N",
        "<change-folder>?<create-mailbox>Größe<enter><create-mailbox>Short<enter><exit>",
    )  # fmt: skip
    day.flagged(first[:4], "\\Flagged")
    day.flagged(first[2:6], "\\Seen")

    # Filed in a folder that is there and one that is not; copied; thrown away. Not into $trash: mutt copies there once
    # more when mail came while it did so.
    mutt.does(
        tagged(subjects(first[2:5])), "<tag-prefix><save-message>=Größe<enter>",
        tagged(subjects(first[5:7])), "<tag-prefix><save-message>=Projects/New<enter>",
        tagged(subjects(first[8:10])), "<tag-prefix><copy-message>=Archive<enter>",
        "<untag-pattern>~A<enter><delete-pattern>", subjects(first[10:12]), "<enter>",
    )  # fmt: skip
    day.moved(first[2:5], "Größe")
    day.moved(first[5:7], "Projects/New")
    day.copied(first[8:10], "Archive")
    day.gone(first[10:12])

    # Written elsewhere, put in here; what the node finds by the words in it is flagged.
    letters = [day.letter() for _ in range(4)]
    local_maildir(tmp_path / "laptop", letters)
    mutt.does(tagged("~A"), "<tag-prefix><copy-message>=Short<enter>", folder=str(tmp_path / "laptop"))
    for word, octets in letters:
        day.put(word, octets, "Short")
    asked = "|".join(f"=h subject:{word}" for word, _ in letters[:2])
    mutt.does(f"<limit>{asked}<enter>", tagged("~A"), "<tag-prefix><set-flag>!", folder="+Short")
    day.flagged([word for word, _ in letters[:2]], "\\Flagged", folder="Short")
    day.compare(only=["Short"], sent=plain)
    with Phone(day) as phone:
        phone.flag(first[12:13], "\\Answered", "\\Seen")
        phone.flag(first[13:14], "\\Seen")
        phone.remove(first[14:16])
    mutt.does(
        "<change-folder>?<search>Größe<enter><rename-mailbox><kill-line>Papers<enter>",
        "<search>Short<enter><delete-mailbox>y<exit>",
    )  # fmt: skip
    day.renamed("Größe", "Papers")
    for word, _ in letters:
        day.gone([word], folder="Short")

    # In IDLE it looks at what was told each second, and asks nothing.
    with mutt.at("+INBOX") as screen:
        heard = mutt.bell()
        until(lambda: mutt.bell() > heard, "no new mail is told")
        day.more(2)
        screen.types(b"q")
        assert screen.ends() == 0
    mutt.heard()

    day.evening()
    full = {folder for folder, _ in day.places}
    folders = day.compare(mutt.copies(full), plain=plain, flags=KEPT)
    assert {"Papers", "Projects/New"} <= folders and not {"Größe", "Short"} & folders
    assert_said(mutt.talk)
