"""LIST-METADATA: annotations of folders in LIST (RFC 9590)."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.interfaces.errors import TryAgain

COLOR = "/shared/vendor/cmu/cyrus-imapd/color"


class ListMetadataTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()
        for name in ("foo", "bar"):
            self.house.account.create(name)
        self.client.say(f'x SETMETADATA INBOX ({COLOR} "#b71c1c")')
        self.client.say(f'x SETMETADATA bar ({COLOR} "#fabfdb" /private/comment "hello")')

    def test_of_each(self):
        """RFC 9590, 4: METADATA after each LIST, NIL where there is nothing; other options beside it."""
        self.assertEqual(
            self.client.say(f'A01 LIST "" (INBOX bar foo) RETURN (METADATA ("{COLOR}"))'),
            [
                '* LIST (\\HasNoChildren) "/" INBOX',
                f'* METADATA INBOX ({COLOR} "#b71c1c")',
                '* LIST (\\HasNoChildren) "/" bar',
                f'* METADATA bar ({COLOR} "#fabfdb")',
                '* LIST (\\HasNoChildren) "/" foo',
                f"* METADATA foo ({COLOR} NIL)",
                "A01 OK LIST completed",
            ],
        )
        self.assertEqual(
            self.client.say(f'a LIST "" bar RETURN (SUBSCRIBED METADATA ({COLOR} /private/comment) STATUS (MESSAGES))'),
            [
                '* LIST (\\HasNoChildren) "/" bar',
                f'* METADATA bar ({COLOR} "#fabfdb" /private/comment "hello")',
                "* STATUS bar (MESSAGES 0)",
                "a OK LIST completed",
            ],
        )

    def test_only_names(self):
        """What cannot be selected has no annotations."""
        self.house.account.create("up/down")
        self.house.account.delete("up")
        self.assertEqual(
            self.client.say(f'a LIST "" up RETURN (METADATA ({COLOR}))'),
            ['* LIST (\\NonExistent \\HasChildren) "/" up', "a OK LIST completed"],
        )

    def test_what_cannot_be_read(self):
        """The folder is listed all the same, and the command succeeds."""

        def fails(*arguments):
            raise TryAgain()

        self.house.account.metadata = fails
        self.assertEqual(
            self.client.say(f'a LIST "" bar RETURN (METADATA ({COLOR}))'),
            ['* LIST (\\HasNoChildren) "/" bar', "a OK LIST completed"],
        )

    def test_a_parent_for_its_child(self):
        """What only stands for what is below it has no annotations told (RFC 9590, 3)."""
        self.house.account.create("up/down")
        self.house.account.subscribe("up/down", True)
        self.assertEqual(
            self.client.say('a LIST (SUBSCRIBED RECURSIVEMATCH) "" u% RETURN (METADATA (/shared/x))'),
            ['* LIST (\\HasChildren) "/" up ("CHILDINFO" ("SUBSCRIBED"))', "a OK LIST completed"],
        )

    def test_refused(self):
        """Entries must be there, in parentheses, and be entries; LIST has none of GETMETADATA's options (RFC 9590)."""
        for option in (
            "METADATA", "METADATA ()", f"METADATA {COLOR}", "METADATA (/other/x)", f"METADATA ({COLOR}",
            f"METADATA (DEPTH 1) ({COLOR})", f"METADATA (MAXSIZE 9) ({COLOR})",
        ):  # fmt: skip
            self.assertTrue(self.client.say(f'a LIST "" * RETURN ({option})')[0].startswith("a BAD"), option)
