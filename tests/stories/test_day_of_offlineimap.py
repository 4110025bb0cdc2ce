"""A day of offlineimap: a Maildir in step with the mailbox, first by runs, then by a process that stands in IDLE."""

import email.parser
import email.policy
import os
import shutil
import signal

from tests.stories.house import needs, until
from tests.stories.laptop import LocalMail, write_letter
from tests.stories.phone import Phone
from tests.stories.running import Program, ran

KEPT = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "$Urgent")
POLICY = email.policy.default.clone(cte_type="8bit", utf8=True, refold_source="none", linesep="\r\n")
SETTINGS = """\
[general]
metadata = {folder}/state
accounts = node
ui = basic

[Account node]
localrepository = near
remoterepository = far
utf8foldernames = yes
{account}

[Repository near]
type = Maildir
localfolders = {folder}/mail
sep = /
customflag_u = $Urgent

[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = yes
# No usecompression: its imaplib2 waits for the socket while what it has not inflated yet lies there.
sslcacertfile = {certificate}
expunge = yes
{repository}
"""


def plain(octets):
    """What its parser makes of a message: of one with parts, lines around boundaries may become more or less."""
    return email.parser.BytesParser(policy=POLICY).parsebytes(octets).as_bytes()


class OfflineImap:
    """The program, and the Maildir `mail` that it keeps."""

    def __init__(self, day, folder):
        self._day, self._folder = day, folder
        self.mail = LocalMail(folder / "mail", keywords={"u": "$Urgent"})
        self._env = {**os.environ, "HOME": str(folder)}

    def _words(self, name, account="", repository=""):
        """The command for settings of this name."""
        rc = self._folder / name
        rc.write_text(SETTINGS.format(
            folder=self._folder, port=self._day.house.ports["imaps"], user=self._day.alias, password=self._day.password,
            certificate=self._day.house.folder / "tls" / "cert.pem", account=account, repository=repository,
        ))  # fmt: skip
        return "offlineimap", "-c", str(rc)

    def sync(self, *options):
        ran(*self._words("once"), *(options or ["-o"]), env=self._env)

    def stays(self):
        """A process that keeps INBOX in step while it runs."""
        repository = "holdconnectionopen = yes\nidlefolders = ['INBOX']\nmaxconnections = 3"
        return Program(*self._words("idle", "autorefresh = 30", repository), "-d", "imap", env=self._env)


def on_the_laptop(day, mail, words):
    """Reads, flags, throws away, files; writes messages, some of them in folders that are new."""
    mail.flag(words[:6], "S")
    mail.flag(words[4:8], "F")
    day.flagged(words[:6], "\\Seen")
    day.flagged(words[4:8], "\\Flagged")
    for path in mail.files(words[8:11]):
        path.unlink()
    day.gone(words[8:11])
    mail.make("Laptop")
    mail.make("Kürze")
    for folder, letters in (("Laptop", "S"), ("INBOX", ""), ("INBOX", "FS"), ("Kürze", "")):
        write_letter(day, mail, folder, letters)
    mail.file(words[11:13], "Laptop")
    day.moved(words[11:13], "Laptop")


def in_idle(day, offlineimap):
    """What comes is there at once; it would look by itself half an hour later."""
    with offlineimap.stays() as idling:
        idling.hears("IDLE")
        new = set(day.more(5))
        mail = offlineimap.mail
        until(lambda: new <= mail.words_in("INBOX"), lambda: "not all came in IDLE:\n" + idling.said[-3000:])
        mail.flag(new, "S")
        day.flagged(new, "\\Seen")
        assert idling.ends(signal.SIGUSR2) == 0, idling.said[-3000:]
    assert "server IDLE finished" in idling.said


def test_a_day(day, tmp_path):
    """Flags, keywords, deletions, new messages and folders go both ways; in IDLE each new message comes by itself."""
    needs("offlineimap", "offlineimap3")
    offlineimap = OfflineImap(day, tmp_path)
    mail, first = offlineimap.mail, day.more(20)
    offlineimap.sync()
    assert set(first) <= mail.words_in("INBOX")
    with Phone(day) as phone:
        phone.make("Projects")
        phone.make("Projects/Größe")
        phone.flag(first[:4], "\\Answered", "$Urgent")
        phone.file(first[:2], "Projects")
        phone.file(first[2:3], "Projects/Größe")
    on_the_laptop(day, mail, first[5:])
    offlineimap.sync()
    with Phone(day) as phone:
        phone.rename("Projects", "Plans")
    shutil.rmtree(mail.path / "Projects")  # offlineimap would make it again: it knows no renaming
    offlineimap.sync()
    offlineimap.sync("--delete-folder", "Kürze")
    shutil.rmtree(mail.path / "Kürze")
    day.gone(day.words_in("Kürze"), folder="Kürze")

    in_idle(day, offlineimap)
    day.evening()
    offlineimap.sync()
    folders = day.compare(mail.copies(), plain=plain, flags=KEPT, sent=plain)
    assert mail.folders() == folders
    assert {"Plans", "Plans/Größe"} <= folders and not {"Projects", "Kürze"} & folders
