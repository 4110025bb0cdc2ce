"""A day of fetchmail: mail is taken from the node by runs and in IDLE, left there as read from one folder, not from
another."""

import os

from tests.stories.copies import Copy, as_sent, compare, copy_of
from tests.stories.house import needs, until
from tests.stories.phone import Phone
from tests.stories.running import Program, ran

FINE = (0, 1)
"""1: there was no mail."""
SETTINGS = """\
set invisible
poll localhost protocol imap port {port}
  user {user} password {password}
  ssl sslcertck sslcertfile {certificate}
  no rewrite pass8bits no mimedecode
  mda "f=$(mktemp {near}.part/XXXXXXXXXX) && cat > $f && mv $f {near}/"
  {options}
"""


class Home:
    """Where fetchmail brings mail: a file each, in a folder for what it took from each folder."""

    def __init__(self, day, folder):
        self._day, self._folder = day, folder
        self._env = {**os.environ, "FETCHMAILHOME": str(folder), "LC_ALL": "C"}

    def _words(self, name, options):
        near = self._folder / "near" / name
        for folder in (near, near.with_suffix(".part")):
            folder.mkdir(parents=True, exist_ok=True)
        rc = self._folder / "fetchmailrc"
        rc.write_text(SETTINGS.format(
            port=self._day.house.ports["imaps"], user=self._day.alias, password=self._day.password,
            certificate=self._day.house.folder / "tls" / "cert.pem", near=near, options=options,
        ))  # fmt: skip
        rc.chmod(0o600)
        return "fetchmail", "-v", "-v", "--nosyslog", "--nodetach", "-f", str(rc)

    def fetch(self, name, options):
        """One run; what was said."""
        return ran(*self._words(name, options), "-d0", well=FINE, env=self._env)

    def stays(self, name, options):
        return Program(*self._words(name, options), "-d", "30", env=self._env)

    def copies(self, name, folder):
        near = self._folder / "near" / name
        files = (file.read_bytes() for file in near.iterdir())
        return [copy_of(folder, (), octets.replace(b"\n", b"\r\n")) for octets in files]


def on_server_in(day, folder):
    return [copy for copy in day.on_server()[1] if copy.folder == folder]


def unseen(day):
    """What fetchmail has not taken yet: it marks a message when it is safe at home."""
    with day.house.imap(day.alias) as phone:
        phone.select("INBOX", readonly=True)
        return phone.search(None, "UNSEEN")[1][0].split()


def the_phone(day, words):
    """Another client files six messages, has read two, threw two away, and puts one in, whose word this gives."""
    with Phone(day) as phone:
        phone.make("Größe Fische")
        phone.file(words[:6], "Größe Fische")
        phone.flag(words[6:8], "\\Seen", "\\Flagged")
        phone.remove(words[8:10])
        phone.rename("Größe Fische", "Work")
        phone.make("Empty")
        phone.delete("Empty")
        return phone.put("\\Flagged")


def test_a_day(day, tmp_path):
    """A message comes home once, octet for octet, by runs or in IDLE; what is taken is gone, what is kept is seen."""
    needs("fetchmail")
    home = Home(day, tmp_path)
    first = day.more(20)
    put = the_phone(day, first)
    work = [Copy("Work", word, frozenset(), day.octets[word]) for word in day.words_in("Work")]

    # The folder is emptied: first what is short, then the rest; deletions are made final two by two.
    assert "not flushed" in home.fetch("work", 'folder "Work" no keep limit 20000 expunge 2')
    left = {copy.word for copy in on_server_in(day, "Work")}
    assert {copy.word for copy in work if len(copy.octets) > 20_000} == left
    said = home.fetch("work", 'folder "Work" no keep fetchall expunge 2')
    assert "EXPUNGE" in said
    day.gone(day.words_in("Work"), folder="Work")
    compare(home.copies("work", "Work"), work, plain=as_sent, flags=())

    # INBOX is only read, by one run, then by a process that stands in IDLE.
    assert "SEARCH UNSEEN" in home.fetch("inbox", "keep")
    with home.stays("inbox", "keep idle") as idling:
        idling.hears(" IDLE\n", 2)
        day.more(5)
        day.evening()
        until(lambda: not unseen(day), lambda: "not all is taken in IDLE:\n" + idling.said[-3000:])
    assert " FETCH " not in home.fetch("inbox", "keep")
    day.flagged(day.words_in("INBOX"), "\\Seen")
    folders = day.compare()
    assert "Work" in folders and not {"Empty", "Größe Fische"} & folders
    kept = [copy for copy in on_server_in(day, "INBOX") if copy.word not in first[6:8]]
    compare(home.copies("inbox", "INBOX"), kept, flags=())
    assert put in {copy.word for copy in kept}
