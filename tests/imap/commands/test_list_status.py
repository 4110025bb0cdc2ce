"""LIST-STATUS: the numbers of folders in LIST (RFC 5819), of size too (RFC 8438)."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.store import NoSuchFolder


class ListStatusTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()
        for name in ("foo", "bar/baz"):
            self.house.account.create(name)
        self.house.inbox.put(MESSAGE)
        self.house.inbox.put(MESSAGE, ["\\Seen"])
        self.house.account.folder("foo").put(MESSAGE, ["\\Seen"])

    def test_numbers_of_each(self):
        """RFC 5819, example 1: STATUS after each LIST, of folders that can be selected."""
        self.house.account.delete("bar")
        self.assertEqual(
            self.client.say('A01 LIST "" (INBOX foo bar) RETURN (STATUS (MESSAGES UNSEEN))'),
            [
                '* LIST (\\HasNoChildren) "/" INBOX',
                "* STATUS INBOX (MESSAGES 2 UNSEEN 1)",
                '* LIST (\\NonExistent \\HasChildren) "/" bar',
                '* LIST (\\HasNoChildren) "/" foo',
                "* STATUS foo (MESSAGES 1 UNSEEN 0)",
                "A01 OK LIST completed",
            ],
        )

    def test_of_subscribed_ones(self):
        """RFC 5819, example 2: a parent that only stands for its child has no numbers, though it can be selected."""
        self.house.account.subscribe("bar/baz", True)
        line = '* LIST (\\HasChildren) "/" bar ("CHILDINFO" ("SUBSCRIBED"))'
        command = 'A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" b% RETURN (STATUS (MESSAGES))'
        self.assertEqual(self.client.say(command), [line, "A02 OK LIST completed"])
        self.house.account.subscribe("bar", True)
        line = '* LIST (\\Subscribed \\HasChildren) "/" bar ("CHILDINFO" ("SUBSCRIBED"))'
        self.assertEqual(self.client.say(command), [line, "* STATUS bar (MESSAGES 0)", "A02 OK LIST completed"])

    def test_size(self):
        """STATUS=SIZE: octets of all messages; with other items, in any order."""
        self.assertEqual(
            self.client.say("a STATUS foo (UIDNEXT SIZE MESSAGES)")[0],
            f"* STATUS foo (UIDNEXT 2 SIZE {len(MESSAGE)} MESSAGES 1)",
        )
        self.assertEqual(
            self.client.say('a LIST "" INBOX RETURN (CHILDREN STATUS (SIZE) SUBSCRIBED)')[:2],
            ['* LIST (\\Subscribed \\HasNoChildren) "/" INBOX', f"* STATUS INBOX (SIZE {2 * len(MESSAGE)})"],
        )

    def test_mod_sequences(self):
        """Who asks for HIGHESTMODSEQ is told of changes from then on; the thread that counts says nothing itself."""
        self.client.say("x SELECT INBOX")
        answer = self.client.say('a LIST "" (INBOX foo) RETURN (STATUS (HIGHESTMODSEQ))')
        self.assertEqual(answer[0], "* OK [HIGHESTMODSEQ 3] Changes are counted from here")
        self.assertIn("* STATUS INBOX (HIGHESTMODSEQ 3)", answer)
        self.house.inbox.store([1], "add", ["\\Flagged"])
        self.assertIn("* 1 FETCH (UID 1 FLAGS (\\Recent \\Flagged) MODSEQ (4))", self.client.say("b NOOP"))

    def test_a_folder_that_cannot_be_told(self):
        """It is listed without numbers, and the others have theirs; what is gone is \\NonExistent."""
        for trouble, attributes in ((NoSuchFolder(), "\\NonExistent \\HasNoChildren"), (TryAgain(), "\\HasNoChildren")):
            folder = self.house.account.folder("foo")

            def fails(trouble=trouble):
                raise trouble

            folder.status = fails
            self.assertEqual(
                self.client.say('a LIST "" (INBOX foo) RETURN (STATUS (MESSAGES) METADATA (/shared/x))'),
                ['* LIST (\\HasNoChildren) "/" INBOX', "* STATUS INBOX (MESSAGES 2)",
                 "* METADATA INBOX (/shared/x NIL)", f'* LIST ({attributes}) "/" foo',
                 *(["* METADATA foo (/shared/x NIL)"] if isinstance(trouble, TryAgain) else []), "a OK LIST completed"],
            )

    def test_refused(self):
        """Items must be there, and known."""
        for items in ("STATUS", "STATUS ()", "STATUS (BOGUS)", "STATUS (MESSAGES", "STATUS MESSAGES"):
            answer = self.client.say(f'a LIST "" * RETURN ({items})')
            self.assertTrue(answer[0].startswith("a BAD"), items)
