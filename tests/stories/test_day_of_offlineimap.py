"""A day of offlineimap: a Maildir in step with the mailbox, first by runs, then by a process that stands in IDLE."""

import email.parser
import email.policy
import os
import shutil
import signal

from tests.stories.copies import WORD, in_maildir
from tests.stories.house import needs, until
from tests.stories.running import Program, ran

KEPT = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "\\Deleted", "$Urgent")
KEYWORDS = {"u": "$Urgent"}
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


class Laptop:
    """The near side, and the program that keeps it."""

    def __init__(self, day, folder):
        self._day, self._folder = day, folder
        self.local = folder / "mail"
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

    def folders(self):
        return {str(cur.parent.relative_to(self.local)) for cur in self.local.glob("**/cur")}

    def copies(self):
        return [copy for name in self.folders() for copy in in_maildir(self.local / name, name, KEYWORDS)]

    def words_in(self, folder):
        return {copy.word for copy in in_maildir(self.local / folder, folder)}

    def make(self, folder):
        for part in ("cur", "new", "tmp"):
            (self.local / folder / part).mkdir(parents=True)

    def files(self, words):
        """The files of these messages in INBOX."""
        paths = [path for part in ("cur", "new") for path in (self.local / "INBOX" / part).iterdir()]
        found = {WORD.search(path.read_bytes())[1].decode(): path for path in paths}
        return [found[word] for word in words]

    def flag(self, words, letter):
        for path in self.files(words):
            name, _, letters = path.name.partition(":2,")
            path.rename(self.local / "INBOX" / "cur" / f"{name}:2,{''.join(sorted({*letters, letter}))}")

    def write(self, word, octets, folder, letters):
        (self.local / folder / "cur" / f"{word}.laptop:2,{letters}").write_bytes(octets.replace(b"\r\n", b"\n"))


def the_phone(day, words):
    """Another client, which makes folders and files answered and urgent messages there."""
    with day.house.imap(day.alias) as phone:
        phone.select("INBOX")
        phone.create("Projects")
        phone.create('"Projects/Gr&APYA3w-e"')
        for word, target in zip(words, ("Projects", '"Projects/Gr&APYA3w-e"', "Projects", "INBOX"), strict=True):
            [uid] = phone.uid("SEARCH", "SUBJECT", word)[1]
            phone.uid("STORE", uid.decode(), "+FLAGS", "(\\Answered $Urgent)")
            if target != "INBOX":
                assert phone.uid("MOVE", uid.decode(), target)[0] == "OK"
    day.flagged(words, "\\Answered", "$Urgent")
    day.moved(words[:3:2], "Projects")
    day.moved(words[1:2], "Projects/Größe")


def the_laptop(day, laptop, words):
    """Reads, flags, throws away, files; writes messages, some of them in folders that are new."""
    laptop.flag(words[:6], "S")
    laptop.flag(words[4:8], "F")
    day.flagged(words[:6], "\\Seen")
    day.flagged(words[4:8], "\\Flagged")
    for path in laptop.files(words[8:11]):
        path.unlink()
    day.gone(words[8:11])
    for folder, letters, flags in (
        ("Laptop", "S", ["\\Seen"]), ("INBOX", "", []), ("INBOX", "FS", ["\\Seen", "\\Flagged"]), ("Kürze", "", []),
    ):  # fmt: skip
        word, octets = day.letter()
        if folder != "INBOX":
            laptop.make(folder)
        laptop.write(word, octets, folder, letters)
        day.put(word, octets, folder, *flags)
    for path in laptop.files(words[11:13]):
        path.rename(laptop.local / "Laptop" / "cur" / path.name)
    day.moved(words[11:13], "Laptop")


def test_a_day(day, tmp_path):
    """Flags, keywords, deletions, new messages and folders go both ways; in IDLE each new message comes by itself."""
    needs("offlineimap", "offlineimap3")
    laptop = Laptop(day, tmp_path)
    first = day.more(20)
    laptop.sync()
    assert set(first) <= laptop.words_in("INBOX")
    the_phone(day, first[:4])
    the_laptop(day, laptop, first[5:])
    laptop.sync()
    with day.house.imap(day.alias) as phone:
        assert phone.rename("Projects", "Plans")[0] == "OK"
    day.renamed("Projects", "Plans")
    shutil.rmtree(laptop.local / "Projects")  # offlineimap would make it again: it knows no renaming
    laptop.sync()
    laptop.sync("--delete-folder", "Kürze")
    shutil.rmtree(laptop.local / "Kürze")
    for word in day.words_in("Kürze"):
        day.gone([word], folder="Kürze")

    with laptop.stays() as idling:
        idling.hears("IDLE")
        new = set(day.more(5))
        until(lambda: new <= laptop.words_in("INBOX"), lambda: "not all came in IDLE:\n" + idling.said[-3000:])
        laptop.flag(new, "S")
        day.flagged(new, "\\Seen")
        assert idling.ends(signal.SIGUSR2) == 0, idling.said[-3000:]
    assert "server IDLE finished" in idling.said
    day.evening()
    laptop.sync()
    folders = day.compare(laptop.copies(), plain=plain, flags=KEPT, sent=plain)
    assert laptop.folders() == folders
