"""LIST-EXTENDED on the wire: what is read, what is refused, and what a client that knows nothing of it sees."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.imap.commands.list import AT_ONCE, MOST_PATTERNS

SPECIAL = {"Archive", "Deleted Items", "Drafts", "Junk", "Sent"}


class ListExtendedTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()
        for name in ("Foo/Bar", "Foo/Baz", "Moo"):
            self.house.account.create(name)

    def say(self, line):
        return self.client.say(line)

    def names(self, arguments):
        *lines, ok = self.say(f"a LIST {arguments}")
        self.assertEqual(ok, "a OK LIST completed", arguments)
        return {line.partition(') "/" ')[2].strip('"') for line in lines}

    def test_childinfo(self):
        """RFC 5258, example 8: a mailbox that is not subscribed and has a child that is."""
        self.house.account.subscribe("Foo/Baz", True)
        self.assertEqual(
            self.say('C02 LIST (SUBSCRIBED) "" "Foo*"'),
            ['* LIST (\\Subscribed \\HasNoChildren) "/" Foo/Baz', "C02 OK LIST completed"],
        )
        self.assertEqual(self.say('C03 LIST (SUBSCRIBED) "" "F%"'), ["C03 OK LIST completed"])
        self.assertEqual(
            self.say('C04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "F%"'),
            ['* LIST (\\HasChildren) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))', "C04 OK LIST completed"],
        )

    def test_not_there_any_more(self):
        """A subscribed name without a mailbox is \\NonExistent; other lists do not have it."""
        self.house.account.subscribe("Fruit/Peach", True)
        self.assertEqual(
            self.say('a LIST (SUBSCRIBED) "" Fruit/*')[0],
            '* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" Fruit/Peach',
        )
        self.assertEqual(self.say('a LIST () "" Fruit/* RETURN (SUBSCRIBED)'), ["a OK LIST completed"])

    def test_name_that_is_only_a_parent(self):
        """Plain clients hear \\Noselect, those that know more \\NonExistent."""
        self.house.account.delete("Foo")
        for arguments in ('() "" Foo', '"" (Foo)', '"" Foo RETURN ()'):
            self.assertEqual(
                self.say(f"a LIST {arguments}")[0], '* LIST (\\NonExistent \\HasChildren) "/" Foo', arguments
            )
        self.assertEqual(self.say('a LIST "" Foo')[0], '* LIST (\\Noselect \\HasChildren) "/" Foo')

    def test_several_patterns(self):
        """RFC 5258, example 7; each with the reference before it; an empty one means nothing."""
        self.assertEqual(self.names('"" ("INBOX" "Drafts" "Foo/%" INB*)'), {"INBOX", "Drafts", "Foo/Bar", "Foo/Baz"})
        self.assertEqual(self.names('Foo/ (Bar "")'), {"Foo/Bar"})
        self.assertEqual(self.say('a LIST () "" ""'), ["a OK LIST completed"])
        self.assertEqual(self.say('a LIST "" ("")'), ["a OK LIST completed"])
        self.assertEqual(self.say('a LIST "" "" RETURN (CHILDREN)'), ["a OK LIST completed"])

    def test_remote(self):
        """There are none elsewhere; those here are listed all the same."""
        self.assertEqual(self.names('(REMOTE) "" Moo'), {"Moo"})
        self.assertEqual(self.names('(REMOTE SUBSCRIBED) "" *'), {"INBOX", *SPECIAL})

    def test_return_subscribed(self):
        """\\Subscribed only for who asks."""
        self.assertEqual(
            self.say('a LIST "" (INBOX Moo) RETURN (SUBSCRIBED)'),
            ['* LIST (\\Subscribed \\HasNoChildren) "/" INBOX', '* LIST (\\HasNoChildren) "/" Moo',
             "a OK LIST completed"],
        )
        self.assertEqual(self.say('a LIST "" INBOX')[0], '* LIST (\\HasNoChildren) "/" INBOX')

    def test_special_and_subscribed(self):
        """Two selections are both to be met."""
        self.house.account.subscribe("Sent", False)
        self.assertEqual(self.names('(SPECIAL-USE SUBSCRIBED) "" *'), SPECIAL - {"Sent"})

    def test_refused(self):
        """RECURSIVEMATCH needs a base option; unknown options and broken lists are BAD; an option may come twice."""
        for arguments in (
            '(RECURSIVEMATCH) "" *', '(REMOTE RECURSIVEMATCH) "" *', '(SPECIAL-USE RECURSIVEMATCH) "" *',
            '(BOGUS) "" *', '(SUBSCRIBED "" *', '(SUBSCRIBED) *', '"" (', '"" ()', '"" (a', '"" (a  b)',
            '"" * RETURN', '"" * RETURN (', '"" * RETURN CHILDREN', '"" * RETURN (STATUS)', '"" * RETURN (CHILDREN) x',
            '(SUBSCRIBED)"" *',
        ):  # fmt: skip
            self.assertTrue(self.say(f"a LIST {arguments}")[-1].startswith("a BAD"), arguments)
            self.say("b NOOP")
        self.assertEqual(self.names('(SUBSCRIBED SUBSCRIBED) "" INBOX RETURN (CHILDREN CHILDREN)'), {"INBOX"})

    def test_very_many_patterns(self):
        """A hundred patterns, and no more."""
        patterns = " ".join(["INBOX"] * MOST_PATTERNS)
        self.assertEqual(self.names(f'"" ({patterns})'), {"INBOX"})
        self.assertEqual(self.say(f'a LIST "" ({patterns} x)'), ["a BAD LIST takes 100 patterns at most"])

    def test_literals_anywhere(self):
        """Reference and patterns may come as literals, in a list too."""
        self.client.send('a LIST {4+}\r\nFoo/ ({3+}\r\nBar {3+}\r\nBaz) RETURN (SUBSCRIBED)\r\n')
        heard = self.client.heard()
        self.assertIn("Foo/Bar", heard)
        self.assertIn("Foo/Baz", heard)

    def test_a_large_account_comes_in_slices(self):
        """Folders whose numbers are asked for come a few at a time, each with its numbers, and all of them."""
        for number in range(2 * AT_ONCE + 3):
            self.house.account.create(f"many/{number:03}")
        *lines, ok = self.say('a LIST "" many/* RETURN (STATUS (MESSAGES))')
        self.assertEqual(ok, "a OK LIST completed")
        self.assertEqual(len(lines), 2 * (2 * AT_ONCE + 3))
        self.assertEqual([line.split()[1] for line in lines[:4]], ["LIST", "STATUS", "LIST", "STATUS"])
