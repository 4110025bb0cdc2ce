"""What is withheld cannot be had by any command: nobody can tell two mailboxes apart that differ in it alone.

Two accounts hold messages with the same headers and other bodies: another structure, another size, other words. Every
command, with every attribute, key and item that it knows, must get the same answer from both. Whoever adds a command,
an attribute or a key is asked by these tests to try it here too.
"""

import importlib
import os
import pkgutil
import re

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import ROBIN
from tests.imap.conversation import House
from tests.imap.withheld_tries import (
    COMMANDS,
    COUNTS_WHAT_IS_STORED,
    HEADER,
    ITEMS,
    LARGE,
    MARKS,
    SECRETS,
    SIMPLE,
    SMALL,
    STATUS,
    TELLS_OF_NO_MESSAGE,
    TRIED,
)
from unitymail.disk import Disk
from unitymail.imap.fetch.attribute import ATTRIBUTES
from unitymail.imap.search.key import KEYS
from unitymail.people.class_of_service import ImapBodies
from unitymail.policy.withholding import NOTHING, WITHOUT_BOOK, Ruling, Withholding
from unitymail.store import Store

STRICT = Withholding(ImapBodies.NOT_PRIVATE, secure=True)


class Class:
    """What a book would say."""

    def __init__(self, rule):
        self.rule, self.usn = rule, 1

    def ruling(self, account):
        return Ruling(self.rule, self.usn)

    secrecy = staticmethod(WITHOUT_BOOK.secrecy)


class Withheld(SynchronousTestCase):
    def house(self, bodies, rule=STRICT):
        """A mailbox with three messages: private, secure, and one that hides nothing."""
        cos = Class(rule)
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h", withholder=cos)
        self.addCleanup(store.close)
        for number, (mark, body) in enumerate(zip(MARKS, bodies, strict=True)):
            self.deliver(store, number, mark + body)
        house = House(store=store)
        house.store, house.cos = store, cos
        return house

    def deliver(self, store, number, rest):
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(HEADER % (number, number) + rest)
        os.utime(path, (1_790_000_000, 1_790_000_000))
        store.deliver(ROBIN.id, path, f"{1_790_000_000 + number}.M1P1.test")

    def conversation(self, house, lines):
        """What is heard to each line."""
        client = house.signed_in()
        client.say("a SELECT INBOX (CONDSTORE)")
        validity = str(house.store.account(ROBIN.id).folder("INBOX").snapshot.uidvalidity).encode()
        heard = []
        for line in lines:
            octets = line.encode() if isinstance(line, str) else line
            prefix = b"" if octets == b"DONE" else b"a "
            client.send(prefix + octets.replace(b"VALIDITY=VALIDITY", b"VALIDITY=" + validity) + b"\r\n")
            for _ in range(4):
                house.clock.advance(0.01)
            heard.append(client.heard())
        return heard

    def test_nobody_can_tell(self):
        """Every command: the same answer for both mailboxes, and no word of what is hidden in either."""
        known = self.house((LARGE, SMALL, SMALL)).door.registry.commands
        lines = [line for name, tried in COMMANDS.items() if name in known for line in tried]
        open_words = b"Content-Type: text/plain\r\n\r\nnothing to see\r\n"
        one = self.conversation(self.house((LARGE, SMALL, open_words)), lines)
        other = self.conversation(self.house((SMALL, LARGE, open_words)), lines)
        for line, first, second in zip(lines, one, other, strict=True):
            echo = line if isinstance(line, str) else line.decode()
            self.assertEqual(without_numbers(first), without_numbers(second), echo)
            self.assertNotIn("\r\na BAD", "\r\n" + first, echo)
            if "CATENATE" in echo:
                self.assertIn("[BADURL " if re.search("SECTION=[23]", echo) else "a OK", first, (echo, first))
            if "hidden" not in echo:
                self.assertIsNone(SECRETS.search(first.encode("latin-1")), echo)

    def test_everything_is_asked(self):
        """Shown the same messages whole, the same commands find their words: the questions are the right ones."""
        lines = [line for name in ("FETCH", "SEARCH") for line in COMMANDS[name]]
        heard = self.conversation(self.house((LARGE, SMALL, SMALL), NOTHING), lines)
        telling = [line for line, answer in zip(lines, heard, strict=True) if SECRETS.search(answer.encode("latin-1"))]
        for item in ("BODY[]", "BODYSTRUCTURE", "PREVIEW", "BINARY.PEEK[2]<0.40>", "BODY[3.HEADER]", "RFC822.TEXT"):
            self.assertIn(f"FETCH 1:* ({item})", telling)
        other = self.conversation(self.house((SMALL, LARGE, SMALL), NOTHING), lines)
        different = [line for line, *both in zip(lines, heard, other, strict=True)
                     if without_numbers(both[0]) != without_numbers(both[1])]
        for line in ("SEARCH BODY hidden-words", "SEARCH LARGER 2000", "FETCH 1:* (RFC822.SIZE)"):
            self.assertIn(line, different)

    def test_while_a_client_is_connected(self):
        """The class changes between two commands: the next one shows nothing any more, by old numbers and UIDs."""
        for line in (
            "FETCH 1:2 BODY.PEEK[]", "UID FETCH 1:2 (BODY.PEEK[] BODYSTRUCTURE RFC822.SIZE)", "FETCH 1:2 PREVIEW",
            "SEARCH BODY hidden", "UID COPY 1:2 Archive", "UID FETCH 1:2 (RFC822)",
        ):  # fmt: skip
            house = self.house((LARGE, SMALL, SMALL), NOTHING)
            client = house.selected()
            client.say("a FETCH 1:* (BODYSTRUCTURE PREVIEW RFC822.SIZE)")
            house.cos.rule, house.cos.usn = STRICT, 2
            heard = "\r\n".join(client.say(f"a {line}"))
            self.assertIsNone(SECRETS.search(heard.encode("latin-1")), (line, heard))
            client.say("a NOOP")
            lines = client.say("a UID FETCH 1:* (BODY.PEEK[])")
            self.assertEqual([got.split("(")[1][:5] for got in lines if "FETCH (" in got], ["UID 3", "UID 4", "UID 5"])
            client.say("a SELECT Archive")
            heard = "\r\n".join(client.say("a FETCH 1:* (BODY.PEEK[])"))
            self.assertIsNone(SECRETS.search(heard.encode("latin-1")), (line, heard))

    def test_what_a_client_sees_of_a_change(self):
        """What left is told as EXPUNGE, and as VANISHED to those who know it; what came as EXISTS, not as new."""
        for enable, gone in (("", ["* 2 EXPUNGE", "* 1 EXPUNGE"]), ("a ENABLE QRESYNC", ["* VANISHED 1:2"])):
            house = self.house((LARGE, SMALL, SMALL), NOTHING)
            client = house.signed_in()
            if enable:
                client.say(enable)
            client.say("a SELECT INBOX")
            client.say("a FETCH 1:* (RFC822.SIZE)")
            house.cos.rule, house.cos.usn = STRICT, 2
            lines = client.say("a NOOP")
            self.assertEqual([line for line in lines if "EXPUNGE" in line or "VANISHED" in line], gone)
            self.assertIn("* 3 EXISTS", lines)
            self.assertEqual([line for line in lines if "RECENT" in line], ["* 1 RECENT"])

    def test_what_is_pushed(self):
        """Who asked to be told of new messages with their contents hears the forms of those that arrive, and of those
        that a change of class has given other UIDs."""
        house = self.house((LARGE, SMALL, SMALL), NOTHING)
        client = house.selected()
        client.say("a FETCH 1:* (RFC822.SIZE)")
        client.say("a NOTIFY SET (selected (MessageNew (UID BODY.PEEK[] PREVIEW RFC822.SIZE) MessageExpunge))")
        house.cos.rule, house.cos.usn = STRICT, 2
        self.deliver(house.store, 3, MARKS[0] + LARGE)
        client.send(b"a IDLE\r\n")
        house.doorbell.ring(ROBIN.id, "INBOX")
        house.clock.advance(6)
        client.send(b"DONE\r\na NOOP\r\n")
        house.clock.advance(6)
        heard = client.heard()
        self.assertIsNone(SECRETS.search(heard.encode("latin-1")), heard)
        self.assertEqual(set(re.findall(r"FETCH \(UID (\d+)", heard)), {"4", "5", "6"}, heard)
        self.assertEqual(heard.count("The contents of this message are not shown here, because"), 6)

    def test_all_there_is(self):
        """Each command, attribute, search key and sort criterion is tried above."""
        for package in ("unitymail.imap.fetch.items", "unitymail.imap.search.keys"):
            found = importlib.import_module(package)
            for module in pkgutil.iter_modules(found.__path__):
                importlib.import_module(f"{package}.{module.name}")
        house = self.house((LARGE, SMALL, SMALL))
        tried = COMMANDS.keys() | TELLS_OF_NO_MESSAGE | COUNTS_WHAT_IS_STORED
        self.assertEqual(set(house.door.registry.commands) - tried, set())
        self.assertEqual(ATTRIBUTES.keys() - ITEMS.keys(), set())
        self.assertEqual(KEYS.keys() - TRIED.keys() - SIMPLE.keys(), set())
        status = house.door.registry.gathered("STATUS_ITEMS").keys() - set(STATUS.split())
        self.assertEqual(status, {"MAILBOXID", "APPENDLIMIT"} & status)


def without_numbers(heard):
    """What is drawn by lot: UIDVALIDITY and MAILBOXID."""
    heard = re.sub(r"(UIDVALIDITY|COPYUID|APPENDUID|MAILBOXID) \(?\w+", r"\1 n", heard)
    return re.sub(r"MAILBOXID \(\w+\)", "MAILBOXID n", heard)
