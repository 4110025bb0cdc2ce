"""A day of imapfilter: scripts that search, flag, file and fetch, and one that files what comes while it is in IDLE."""

import email
import email.policy
import os
import re

from tests.stories.copies import copy_of
from tests.stories.house import PATIENCE_S, needs
from tests.stories.running import Program, ran

HEAD = """\
options.subscribe = true
options.range = 50
options.charset = 'UTF-8'
options.wakeonany = true
function account()
    return IMAP {{ server = 'localhost', port = {port}, username = '{user}', password = '{password}', ssl = 'auto' }}
end
mine = account()
other = account()
function named(mailbox, words)
    local found = Set {{}}
    for _, word in ipairs(words) do found = found + mailbox:contain_subject(word) end
    return found
end
"""
MORNING = """\
mine:create_mailbox('Größe')
mine:create_mailbox('Papiere')
mine:create_mailbox('Short')
named(mine.INBOX, {flagged}):mark_flagged()
named(mine.INBOX, {urgent}):add_flags({{ '$Urgent', '\\\\Seen' }})
named(mine.INBOX, {moved}):move_messages(mine['Größe'])
named(mine.INBOX, {copied}):copy_messages(mine.Archive)
named(mine.INBOX, {carried}):move_messages(other['Papiere/Neu'])
named(mine.INBOX, {deleted}):delete_messages()
local file = io.open('{letter}', 'rb')
mine.Sent:append_message(file:read('*a'), {{ '\\\\Seen', '$Urgent' }}, '06-Nov-2026 09:00:00 +0000')
file:close()
mine:rename_mailbox('Größe', 'Papiere/Größe')
named(mine['Papiere/Größe'], {moved}):copy_messages(mine.Short)
mine:delete_mailbox('Short')
"""
FILTER = """\
local stop
repeat
    stop = io.open('{stop}')
    mine.INBOX:contain_body('at noon'):mark_flagged()
    local voice = mine.INBOX:send_query('SUBJECT "voice" UNDELETED')
    voice:mark_seen()
    voice:move_messages(mine.Voice)
    print('filed', #voice)
    io.stdout:flush()
    if not stop then mine.INBOX:enter_idle() end
until stop
"""
EVENING = """\
local mailboxes, _ = mine:list_all('')
local inner, _ = mine:list_all('Papiere')
for _, name in ipairs(inner) do table.insert(mailboxes, name) end
for number, name in ipairs(mailboxes) do
    for _, message in ipairs(mine[name]:select_all()) do
        local mailbox, uid = table.unpack(message)
        local file = io.open('{near}/' .. number .. '.' .. uid, 'wb')
        file:write(name, '\\n', table.concat(mailbox[uid]:fetch_flags(), ' '), '\\n', mailbox[uid]:fetch_message())
        file:close()
    end
end
"""


class Scripts:
    """What imapfilter runs, and what it keeps; `talk` is what was said to the node and by it."""

    def __init__(self, day, folder):
        self._folder = folder
        self._certificate = day.house.folder / "tls" / "cert.pem"
        self._head = HEAD.format(port=day.house.ports["imaps"], user=day.alias, password=day.password)
        self._env = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.talk = ""
        (folder / ".imapfilter").mkdir()
        (folder / "near").mkdir()

    def _words(self, script, names):
        rc = self._folder / "config.lua"
        names = {name: lua(value) if isinstance(value, list) else value for name, value in names.items()}
        rc.write_text(self._head + script.format(**names))
        return "imapfilter", "-c", str(rc), "-d", str(self._folder / "debug"), "-t", str(self._certificate)

    def run(self, script, **names):
        ran(*self._words(script, names), env=self._env)
        self.heard()

    def stays(self, script, **names):
        return Program(*self._words(script, names), env=self._env)

    def heard(self):
        """imapfilter says in `debug` what went to and fro in one run."""
        self.talk += (self._folder / "debug").read_text(errors="replace")

    def copies(self):
        files = [file.read_bytes().split(b"\n", 2) for file in (self._folder / "near").iterdir()]
        return [copy_of(name.decode(), flags.decode().split(), octets) for name, flags, octets in files]


def lua(words):
    return "{" + ", ".join(f"'{word}'" for word in words) + "}"


def is_voice(octets):
    return re.search(rb"(?im)^Subject:.*voice", octets) is not None


def is_at_noon(octets):
    message = email.message_from_bytes(octets, policy=email.policy.default)
    return any("at noon" in part.get_content() for part in message.walk() if part.get_content_maintype() == "text")


def test_a_day(day, tmp_path):
    """Found by what is in them, flagged, filed, carried over by APPEND, thrown away; in IDLE all voice is filed."""
    needs("imapfilter")
    scripts = Scripts(day, tmp_path)
    first = day.more(20)
    word, octets = day.letter()
    (tmp_path / "letter").write_bytes(octets)
    scripts.run(
        MORNING, flagged=first[:4], urgent=first[2:6], moved=first[3:8], copied=first[:2] + first[8:10],
        carried=first[10:13], deleted=first[13:16], letter=tmp_path / "letter",
    )  # fmt: skip
    day.flagged(first[:4], "\\Flagged")
    day.flagged(first[2:6], "$Urgent", "\\Seen")
    day.moved(first[3:8], "Papiere/Größe")
    day.copied(first[:2] + first[8:10], "Archive")
    day.moved(first[10:13], "Papiere/Neu")
    day.gone(first[13:16])
    day.put(word, octets, "Sent", "\\Seen", "$Urgent")

    with scripts.stays("mine:create_mailbox('Voice')\n" + FILTER, stop=tmp_path / "stop") as filing:
        day.more(10)
        filing.hears("filed", 3)
        (tmp_path / "stop").touch()
        assert filing.process.wait(PATIENCE_S) == 0, filing.said
    scripts.heard()
    day.evening()
    scripts.run(FILTER, stop=tmp_path / "stop")
    voice = [word for word in day.words_in("INBOX") if is_voice(day.octets[word])]
    day.flagged([word for word in day.words_in("INBOX") if is_at_noon(day.octets[word])], "\\Flagged")
    day.flagged(voice, "\\Seen")
    day.moved(voice, "Voice")

    scripts.run(EVENING, near=tmp_path / "near")
    folders = day.compare(scripts.copies())
    assert {"Papiere/Größe", "Papiere/Neu", "Voice"} <= folders and not {"Größe", "Short"} & folders
    for said in ("IDLE\n", "NO [TRYCREATE]", "SUBSCRIBE", "COPYUID", "APPENDUID", 'BODY "at noon"', " FAST\n"):
        assert said in scripts.talk, said
