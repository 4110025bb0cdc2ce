"""IMAP4rev2 (RFC 9051, appendix E): what a client that enabled it sees, and what one that did not does not."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.store import Store

NFD, NFC = "Cafe\u0301", "Caf\u00e9"


class Rev2Tests(SynchronousTestCase):
    def setUp(self):
        self.house = self.opened()
        self.client = self.house.signed_in()
        self.assertEqual(self.client.say("e ENABLE IMAP4rev2"), ["* ENABLED IMAP4rev2", "e OK ENABLE completed"])

    def opened(self):
        return House()

    def ok(self, line, client=None):
        client = client or self.client
        client.send(f"a {line}\r\n".encode())
        *untagged, tagged = client.heard().encode("latin-1").decode("utf-8").split("\r\n")[:-1]
        self.assertTrue(tagged.startswith("a OK"), (line, tagged))
        return untagged

    def test_both_versions_are_offered(self):
        """Which one it is, the client says."""
        (words,) = self.ok("CAPABILITY")
        self.assertIn(" IMAP4rev1 ", words)
        self.assertIn(" IMAP4rev2 ", words)

    def test_select(self):
        """6.3.2: LIST is told; RECENT and UNSEEN are not; a closed mailbox is said to be."""
        self.house.inbox.put(MESSAGE)
        told = self.ok("SELECT INBOX")
        self.assertIn('* LIST (\\HasNoChildren) "/" INBOX', told)
        self.assertIn("* 1 EXISTS", told)
        for line in told:
            self.assertNotIn("RECENT", line.upper())
            self.assertNotIn("UNSEEN", line)
        self.assertEqual(self.ok("EXAMINE Drafts")[0], "* OK [CLOSED] Previous mailbox closed")
        self.assertIn('* LIST (\\HasNoChildren \\Sent) "/" Sent', self.ok("SELECT Sent"))

    def test_plain_clients_see_rev1(self):
        """Who enabled nothing has RECENT and UNSEEN, no LIST, SEARCH and no ESEARCH, no UID it did not ask for."""
        self.house.inbox.put(MESSAGE)
        plain, other = self.house.signed_in(), self.house.selected()
        told = self.ok("SELECT INBOX", plain)
        self.assertIn("* 0 RECENT", told)
        self.assertIn("* OK [UNSEEN 1] First unseen", told)
        self.assertFalse([line for line in told if "LIST" in line])
        self.assertEqual(self.ok("SEARCH ALL", plain), ["* SEARCH 1"])
        self.ok("STORE 1 +FLAGS (\\Flagged)", other)
        self.assertEqual(self.ok("NOOP", plain), ["* 1 FETCH (FLAGS (\\Flagged))"])

    def test_what_is_recent_is_left_to_others(self):
        """A client that knows nothing of \\Recent takes it from nobody, and is told of new messages without it."""
        self.house.inbox.put(MESSAGE)
        self.ok("SELECT INBOX")
        self.assertEqual(self.ok("FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS ())"])
        self.house.inbox.arrive(MESSAGE)
        self.assertEqual(self.ok("NOOP"), ["* 2 EXISTS"])
        self.assertIn("* 2 RECENT", self.ok("SELECT INBOX", self.house.signed_in()))

    def test_enabled_while_selected(self):
        """\\Recent is not shown from then on."""
        self.house.inbox.put(MESSAGE)
        client = self.house.selected()
        self.assertIn("\\Recent", self.ok("FETCH 1 FLAGS", client)[0])
        client.say("a ENABLE IMAP4rev2")
        self.assertNotIn("\\Recent", self.ok("FETCH 1 FLAGS", client)[0])

    def test_search_says_esearch(self):
        """6.4.4: the SEARCH response is gone."""
        self.house.inbox.put(MESSAGE)
        self.ok("SELECT INBOX")
        self.assertEqual(self.ok("SEARCH ALL"), ['* ESEARCH (TAG "a") ALL 1'])
        self.assertEqual(self.ok("UID SEARCH ALL"), ['* ESEARCH (TAG "a") UID ALL 1'])

    def test_unsolicited_fetch_has_uid(self):
        """Appendix E, 21."""
        self.house.inbox.put(MESSAGE)
        self.ok("SELECT INBOX")
        self.ok("STORE 1 +FLAGS (\\Flagged)", self.house.selected())
        self.assertEqual(self.ok("NOOP"), ["* 1 FETCH (UID 1 FLAGS (\\Flagged))"])

    def test_names_are_utf8(self):
        """5.1: names go both ways in UTF-8, an ampersand is an ampersand, and plain clients still read UTF-7."""
        self.ok(f'CREATE "{NFC}/R&D"')
        self.assertEqual(
            self.ok('LIST "" "Caf*"'),
            [f'* LIST (\\HasChildren) "/" "{NFC}"', f'* LIST (\\HasNoChildren) "/" "{NFC}/R&D"'],
        )
        self.assertIn(f'* LIST (\\HasNoChildren) "/" "{NFC}/R&D"', self.ok(f'SELECT "{NFC}/R&D"'))
        self.assertEqual(self.ok(f'STATUS "{NFC}" (MESSAGES)'), [f'* STATUS "{NFC}" (MESSAGES 0)'])
        self.assertEqual(self.ok(f'LSUB "" "{NFC}"'), [])
        self.assertEqual(
            self.ok('LIST "" Caf*', self.house.signed_in())[1], '* LIST (\\HasNoChildren) "/" Caf&AOk-/R&-D'
        )

    def test_names_that_are_no_utf8(self):
        """They are BAD, and the connection goes on."""
        self.client.send(b'a CREATE "caf\xe9"\r\n')
        self.assertTrue(self.client.heard().startswith("a BAD A quoted string is not valid UTF-8"))
        self.ok("NOOP")

    def test_names_are_made_canonical(self):
        """6.3.4 and 6.3.9.7: NFC, told with OLDNAME; the client may go on with the name it knows."""
        old = f'("OLDNAME" ("{NFD}"))'
        self.assertEqual(self.ok(f'CREATE "{NFD}"'), [f'* LIST (\\HasNoChildren) "/" "{NFC}" {old}'])
        self.assertIn(f'* LIST (\\HasNoChildren) "/" "{NFC}" {old}', self.ok(f'SELECT "{NFD}"'))
        self.assertEqual(
            self.ok(f'RENAME "{NFD}" "{NFD}2"'), [f'* LIST (\\HasNoChildren) "/" "{NFC}2" {old}']
        )
        self.assertEqual(
            self.ok(f'DELETE "{NFD}2"'),
            ["* OK [CLOSED] The mailbox is gone",
             f'* LIST (\\NonExistent \\HasNoChildren) "/" "{NFC}2" ("OLDNAME" ("{NFD}2"))'],
        )
        plain = self.house.signed_in()
        self.assertEqual(self.ok("CREATE Cafe&AwE-", plain), [])
        self.assertEqual(self.ok('LIST "" Caf*', plain), ['* LIST (\\HasNoChildren) "/" Caf&AOk-'])

    def test_an_ordinary_rename_says_nothing(self):
        """OLDNAME is for names that are not what the client wrote."""
        self.ok("CREATE a")
        self.assertEqual(self.ok("RENAME a b"), [])
        self.assertEqual(self.ok("DELETE b"), [])

    def test_renamed_by_another(self):
        """6.3.9.7: who has it selected hears the new name once, also when one above it was renamed, and goes on."""
        self.ok("CREATE a/b")
        plain, other = self.house.selected("a/b"), self.house.signed_in()
        self.ok("SELECT a/b")
        other.say("x RENAME a/b a/c")
        self.assertEqual(self.ok("NOOP"), ['* LIST (\\HasNoChildren) "/" a/c ("OLDNAME" (a/b))'])
        self.assertEqual(self.ok("NOOP"), [])
        other.say("x RENAME a z")
        self.assertEqual(self.ok("SEARCH ALL"), [
            '* ESEARCH (TAG "a")', '* LIST (\\HasNoChildren) "/" z/c ("OLDNAME" (a/c))',
        ])
        self.assertEqual(self.ok("NOOP", plain), [])

    def test_renamed_by_another_while_idle(self):
        """Appendix E, 20: IDLE tells of it, too."""
        self.ok("CREATE a")
        self.ok("SELECT a")
        self.client.say("i IDLE")
        self.house.signed_in().say("x RENAME a b")
        self.assertEqual(self.client.heard(), '* LIST (\\HasNoChildren) "/" b ("OLDNAME" (a))\r\n')
        self.assertEqual(self.client.say("DONE"), ["i OK IDLE completed"])

    def test_renamed_by_the_client_itself(self):
        """It knows what it did; what another one does afterwards is told with the name it knows."""
        self.ok("CREATE a")
        self.ok("SELECT a")
        self.assertEqual(self.ok("RENAME a b"), [])
        self.assertEqual(self.ok("NOOP"), [])
        self.house.signed_in().say("x RENAME b c")
        self.assertEqual(self.ok("NOOP"), ['* LIST (\\HasNoChildren) "/" c ("OLDNAME" (b))'])

    def test_renamed_and_notify_decides(self):
        """RFC 5465, 3: names are not told to who did not ask for them, and told once to who did."""
        for wish, told in (
            ("NOTIFY SET (SELECTED (MessageNew MessageExpunge))", []),
            ("NOTIFY SET (PERSONAL (MailboxName))", ['* LIST (\\HasNoChildren) "/" b ("OLDNAME" (a))']),
        ):
            self.ok("CREATE a")
            self.ok("SELECT a")
            self.ok(wish)
            self.house.signed_in().say("x RENAME a b")
            self.assertEqual(self.client.heard().split("\r\n")[:-1], told)
            self.assertEqual(self.ok("NOOP"), [])
            self.ok("NOTIFY NONE")
            self.ok("DELETE b")

    def test_nonexistent_and_haschildren(self):
        """A name that is only a parent is \\NonExistent, and cannot be deleted before what is below it."""
        self.ok("CREATE foo/bar")
        self.ok("DELETE foo")
        self.assertEqual(self.ok('LIST "" foo'), ['* LIST (\\NonExistent \\HasChildren) "/" foo'])
        self.assertEqual(
            self.client.say("a DELETE foo"), ["a NO [HASCHILDREN] Only mailboxes below it are there; delete those"]
        )
        self.ok("DELETE foo/bar")
        self.assertEqual(self.ok('LIST "" foo*'), [])

    def test_status(self):
        """6.3.11: SIZE and DELETED are there; COPY to what is not there says TRYCREATE."""
        self.house.inbox.put(MESSAGE, ["\\Deleted"])
        self.assertEqual(
            self.ok("STATUS INBOX (MESSAGES SIZE DELETED)"),
            [f"* STATUS INBOX (MESSAGES 1 SIZE {len(MESSAGE)} DELETED 1)"],
        )
        self.ok("SELECT INBOX")
        self.assertTrue(self.client.say("a COPY 1 Nowhere")[0].startswith("a NO [TRYCREATE]"))

    def test_folded_in(self):
        """What rev2 folded in works without another word: ESEARCH options, SEARCHRES, MOVE, BINARY, LIST-STATUS."""
        self.house.inbox.put(MESSAGE)
        self.ok("SELECT INBOX")
        self.assertEqual(self.ok("SEARCH RETURN (SAVE COUNT) ALL"), ['* ESEARCH (TAG "a") COUNT 1'])
        self.assertTrue(self.ok("FETCH $ (BINARY.SIZE[1] BINARY.PEEK[1])"))
        self.assertTrue(self.ok("MOVE $ Archive"))
        self.assertIn("* STATUS Archive (MESSAGES 1)", self.ok('LIST "" Archive RETURN (STATUS (MESSAGES))'))
        self.ok("UNSELECT")
        self.ok("NAMESPACE")


class Rev2OnDisk(Rev2Tests):
    """The same with the real store."""

    def opened(self):
        store = Store(self.mktemp(), disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(store.close)
        house = HouseOnDisk(store=store)
        house.store = store
        return house


class HouseOnDisk(House):
    @property
    def inbox(self):
        return Filled(self, self.account.folder("INBOX"))


class Filled:
    """A folder of the real store with the methods that the memory store has for tests."""

    def __init__(self, house, folder):
        self.house, self.folder = house, folder

    def put(self, octets, flags=()):
        import os

        descriptor, path = self.house.account.new_file()
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
        self.folder.append(path, flags, None)

    arrive = put
