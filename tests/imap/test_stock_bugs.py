"""The bugs of stock Twisted's IMAP4Server in sessions, framing and mailboxes: each shown there, and right here.

(FETCH, SEARCH, STORE and COPY have theirs beside their own tests.)
"""

import tempfile
from base64 import b64decode, b64encode

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer
from twisted.internet.task import Clock
from twisted.mail import imap4
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.imap.conversation import MESSAGE, House, Wire
from unitymail.imap.wire.names import encode


@implementer(imap4.IMailbox)
class StockMailbox:
    def __init__(self, flags=("\\Seen", "\\Deleted")):
        self.flags = flags
        self.messages = []

    def getFlags(self):
        return self.flags

    def getMessageCount(self):
        return len(self.messages)

    def getRecentCount(self):
        return 0

    def getUIDValidity(self):
        return 1

    def isWriteable(self):
        return True

    def addListener(self, listener):
        pass

    def removeListener(self, listener):
        pass

    def getHierarchicalDelimiter(self):
        return "/"

    def requestStatus(self, names):
        return imap4.statusRequestHelper(self, names)

    def addMessage(self, message, flags=(), date=None):
        self.messages.append(message.read())
        return defer.succeed(None)

    def fetch(self, messages, uid):
        return []


@implementer(imap4.INamespacePresenter)
class StockAccount(imap4.MemoryAccount):
    def __init__(self):
        super().__init__("robin")
        for name in ("INBOX", "A B", "SENT"):
            self.mailboxes[name] = StockMailbox()
        self.slow = None

    def select(self, name, readwrite=1):
        found = super().select(name, readwrite)
        return self.slow.addCallback(lambda _: found) if self.slow is not None else found

    def getPersonalNamespaces(self):
        return [[b"", b"/"]]

    def getSharedNamespaces(self):
        return [[b"shared/", b"/"]]

    def getUserNamespaces(self):
        return None


class Stock:
    """The stock server in the same conversation."""

    def __init__(self, *, signed_in=True, context=None):
        self.account = StockAccount()

        @implementer(IRealm)
        class Realm:
            def requestAvatar(realm, avatar, mind, *interfaces):
                return imap4.IAccount, self.account, lambda: None

        checker = InMemoryUsernamePasswordDatabaseDontUse(robin=b"secret", quoted=b'a"b')
        self.server = imap4.IMAP4Server({b"PLAIN": imap4.PLAINCredentials}, contextFactory=context)
        self.server.callLater = Clock().callLater
        self.server.portal = Portal(Realm(), [checker])
        self.wire = Wire("127.0.0.1")
        self.server.makeConnection(self.wire)
        if signed_in:
            self.say("x LOGIN robin secret")
        self.heard()

    def heard(self):
        octets = self.wire.value()
        self.wire.clear()
        return octets.decode("latin-1")

    def send(self, octets):
        self.server.dataReceived(octets)

    def say(self, line):
        self.send(line.encode() + b"\r\n")
        return self.heard().split("\r\n")[:-1]


class StockBugTests(SynchronousTestCase):
    def setUp(self):
        """Stock leaves its temporary files to the garbage collector."""
        make = tempfile.TemporaryFile

        def made():
            file = make()
            self.addCleanup(file.close)
            return file

        self.patch(imap4.tempfile, "TemporaryFile", made)

    def both(self, line, select=False):
        """What stock and we answer to one line, signed in."""
        stock, ours = Stock(), House().signed_in()
        if select:
            stock.say("x SELECT INBOX")
            ours.say("x SELECT INBOX")
        return stock.say(line), ours.say(line)

    def test_starttls_injection(self):
        """Commands in the same packet as STARTTLS: stock runs them inside TLS, we drop them."""
        stock = Stock(signed_in=False, context=object())
        stock.send(b"a STARTTLS\r\nb CAPABILITY\r\n")
        self.assertIn("b OK", stock.heard())
        ours = House(tls=object()).connect()
        ours.send(b"a STARTTLS\r\nb CAPABILITY\r\n")
        self.assertEqual(ours.heard(), "a OK Begin TLS negotiation now\r\n")

    def test_no_command_queue(self):
        """SELECT that takes its time, with FETCH behind it: stock runs FETCH before there is a mailbox."""
        stock = Stock()
        stock.account.slow = defer.Deferred()
        stock.send(b"a SELECT INBOX\r\nb FETCH 1:* (UID)\r\n")
        self.assertTrue(stock.heard().startswith("b BAD"))
        ours = House().signed_in()
        ours.send(b"a SELECT INBOX\r\nb FETCH 1:* (UID)\r\n")
        self.assertRegex(ours.heard(), r"(?s)a OK.*b OK")

    def test_escaped_quotes(self):
        r"""A password with \": stock says BAD, we sign in."""
        line = r'a LOGIN quoted "a\"b"'
        self.assertTrue(Stock(signed_in=False).say(line)[0].startswith("a BAD"))
        house = House()
        house.login.passwords[b"robin"] = b'a"b'
        self.assertTrue(house.connect().say(line.replace("quoted", "robin"))[0].startswith("a OK"))

    def test_initial_response(self):
        """AUTHENTICATE with an initial response: stock says BAD."""
        line = "a AUTHENTICATE PLAIN AHJvYmluAHNlY3JldA=="
        self.assertTrue(Stock(signed_in=False).say(line)[0].startswith("a BAD"))
        self.assertTrue(House().connect().say(line)[0].startswith("a OK"))

    def test_literal_octets_are_no_commands(self):
        """{n+}: stock refuses it and then runs the octets of the literal."""
        octets = b"a LOGIN {10+}\r\nb LOGOUT\r\n secret\r\n"
        stock = Stock(signed_in=False)
        stock.send(octets)
        self.assertIn("b OK LOGOUT", stock.heard())
        ours = House().connect()
        ours.send(octets)
        self.assertEqual(ours.heard(), "a NO [AUTHENTICATIONFAILED] Name or password is wrong\r\n")

    def test_literals_anywhere(self):
        """A literal in SEARCH or STATUS: stock answers without it and takes its octets for a command, we ask for it."""
        for line, rest in (("a SEARCH SUBJECT {5}", b"Lunch\r\n"), ("a STATUS {5}", b"INBOX (MESSAGES)\r\n")):
            stock, ours = Stock(), House().signed_in()
            for each in (stock, ours):
                each.say("x SELECT INBOX")
            self.assertEqual(ours.say(line), ["+ Ready for 5 octets"])
            ours.send(rest)
            self.assertIn("a OK", ours.heard())
            if "SEARCH" in line:
                self.assertEqual(stock.say(line), ["a OK SEARCH completed"])
                stock.send(rest)
                self.assertEqual(stock.heard(), "Lunch BAD Missing command\r\n")

    def test_append_has_a_limit(self):
        """A 4 GB APPEND: stock asks for it, we refuse it at once."""
        stock, ours = self.both("a APPEND INBOX () {4294967295}")
        self.assertTrue(stock[0].startswith("+ "))
        self.assertTrue(ours[0].startswith("a NO [TOOBIG]"))

    def test_long_challenges(self):
        """A challenge over 57 octets: stock breaks it over two lines, we send one."""

        class Chatty(imap4.PLAINCredentials):
            def getChallenge(self):
                return b"x" * 100

        stock = Stock(signed_in=False)
        stock.server.challengers = {b"PLAIN": Chatty}
        self.assertIn("\n", "".join(stock.say("a AUTHENTICATE PLAIN")))
        first = b64encode(b"n,,n=robin,r=" + b"x" * 100)
        [ours] = House().connect().say(b"a AUTHENTICATE SCRAM-SHA-256 " + first)
        self.assertGreater(len(b64decode(ours[2:])), 100)

    def test_long_line(self):
        """A line over 16 KiB: stock hangs up without a word, we have 64 KiB and say what is wrong beyond."""
        line = "a LOGIN robin " + "x" * 20_000
        stock = Stock(signed_in=False)
        self.assertEqual(stock.say(line), [])
        self.assertTrue(stock.wire.disconnecting)
        ours = House().connect()
        self.assertTrue(ours.say(line)[0].startswith("a NO [AUTHENTICATIONFAILED]"))
        self.assertTrue(ours.say("b LOGIN robin " + "x" * 70_000)[0].startswith("b BAD [TOOBIG]"))
        self.assertFalse(ours.closed)

    def test_idle_prompt(self):
        """IDLE: stock sends `+` without the space, and takes any line for DONE."""
        stock, ours = Stock(), House().signed_in()
        self.assertEqual(stock.say("a IDLE"), ["+"])
        self.assertTrue(stock.say("b NOOP")[0].startswith("a OK"))
        self.assertEqual(ours.say("a IDLE"), ["+ idling"])
        self.assertTrue(ours.say("b NOOP")[0].startswith("a BAD"))

    def test_select_says_everything(self):
        """SELECT: stock gives no PERMANENTFLAGS, UIDNEXT or UNSEEN."""
        stock = Stock()
        house = House()
        house.inbox.put(MESSAGE)
        told = " ".join(stock.say("a SELECT INBOX")), " ".join(house.signed_in().say("a SELECT INBOX"))
        for word in ("PERMANENTFLAGS", "UIDNEXT", "UNSEEN"):
            self.assertNotIn(word, told[0])
            self.assertIn(word, told[1])

    def test_select_failure(self):
        """A \\Noselect mailbox: stock trips over its own answer, we say NO."""
        stock = Stock()
        stock.account.mailboxes["A"] = StockMailbox(("\\Noselect",))
        stock.say("a SELECT A")
        self.assertNotEqual(self.flushLoggedErrors(TypeError), [])
        house = House()
        house.account.create("A/b")
        house.account.delete("A")
        self.assertEqual(house.signed_in().say("a SELECT A"), ["a NO [NONEXISTENT] No such folder"])

    def test_ok_before_it_is_done(self):
        """CREATE that takes its time: stock says OK before it is done (ours: test_folders.test_ok_means_done)."""
        stock = Stock()
        stock.account.create = lambda name: defer.Deferred()
        self.assertEqual(stock.say("a CREATE x"), ["a OK Mailbox created"])

    def test_rename_inbox(self):
        """RENAME INBOX: stock refuses, we move its messages."""
        stock, ours = self.both("a RENAME INBOX old")
        self.assertTrue(stock[0].startswith("a NO"))
        self.assertEqual(ours, ["a OK RENAME completed"])

    def test_status_quotes(self):
        """STATUS of a name with a space: stock does not quote it."""
        stock, ours = Stock(), House().signed_in()
        ours.say('x CREATE "A B"')
        self.assertTrue(stock.say('a STATUS "A B" (MESSAGES)')[0].startswith("* STATUS A B ("))
        self.assertTrue(ours.say('a STATUS "A B" (MESSAGES)')[0].startswith('* STATUS "A B" ('))

    def test_list_root(self):
        """LIST "" "": stock lists all mailboxes instead of the root."""
        stock = Stock()
        stock.account.listMailboxes = lambda ref, wildcard: list(stock.account.mailboxes.items())
        self.assertGreater(len(stock.say('a LIST "" ""')), 2)
        self.assertEqual(len(House().signed_in().say('a LIST "" ""')), 2)

    def test_namespace_slots(self):
        """NAMESPACE: stock puts the shared namespaces among those of other users."""
        stock, ours = self.both("a NAMESPACE")
        self.assertEqual(stock[0].count("shared/"), 2)
        self.assertEqual(ours[0], '* NAMESPACE (("" "/")) NIL NIL')

    def test_append_without_flags(self):
        """APPEND without a flag list: stock takes the message and then says BAD."""
        stock, ours = Stock(), House().signed_in()
        for each in (stock, ours):
            each.say("a APPEND INBOX {5}")
            each.send(b"hello\r\n")
        self.assertTrue(stock.heard().startswith("a BAD"))
        self.flushLoggedErrors(TypeError)
        self.assertIn("a OK [APPENDUID", ours.heard())

    def test_append_to_nowhere(self):
        """APPEND to a missing mailbox: stock dies of a TypeError, we say TRYCREATE."""
        stock = Stock()
        stock.say("a APPEND Nowhere () {5}")
        stock.send(b"hello\r\n")
        self.assertNotIn("a NO [TRYCREATE]", stock.heard())
        self.assertNotEqual(self.flushLoggedErrors(TypeError), [])
        [ours] = House().signed_in().say("a APPEND Nowhere () {5}")
        self.assertTrue(ours.startswith("a NO [TRYCREATE]"))

    def test_append_elsewhere(self):
        """APPEND to another mailbox: stock tells its EXISTS to the selected session."""
        stock, ours = Stock(), House().signed_in()
        for each in (stock, ours):
            each.say("x SELECT INBOX")
            each.say("a APPEND Sent () {5}")
            each.send(b"hello\r\n")
        self.assertIn("* 1 EXISTS", stock.heard())
        self.assertNotIn("EXISTS", ours.heard())

    def test_expunges_of_others(self):
        """Stock's listeners have no word for an expunge; ours are told."""
        self.assertEqual(
            set(imap4.IMailboxListener.names()), {"modeChanged", "flagsChanged", "newMessages"}
        )
        house = House()
        house.inbox.put(MESSAGE, ["\\Deleted"])
        one, other = house.selected(), house.selected()
        one.say("a CLOSE")
        self.assertIn("* 1 EXPUNGE", other.say("b NOOP"))

    def test_mode_changed(self):
        """Stock's modeChanged sends a response that is none."""
        stock = Stock()
        stock.server.modeChanged(True)
        self.assertEqual(stock.heard(), "* [READ-WRITE]\r\n")

    def test_control_characters_in_names(self):
        """TAB in a name: stock spells it as an ampersand, so that two folders become one."""
        self.assertEqual("a\tb".encode("imap4-utf-7"), "a&b".encode("imap4-utf-7"))
        self.assertNotEqual(encode("a\tb"), encode("a&b"))
