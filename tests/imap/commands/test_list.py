"""LIST, LSUB, NAMESPACE, with the extensions CHILDREN and SPECIAL-USE; and STATUS."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import MESSAGE, House


class ListTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()
        for name in ("Work/2025/May", "a b", "INBOX/Team"):
            self.house.account.create(name)

    def listed(self, arguments, verb="LIST"):
        """{name: attributes} of the answer."""
        *lines, ok = self.client.say(f"a {verb} {arguments}")
        self.assertEqual(ok, f"a OK {verb} completed")
        found = {}
        for line in lines:
            head, _, rest = line.removeprefix(f"* {verb} (").partition(') "/" ')
            found[rest.strip('"')] = head.split()
        return found

    def test_percent_and_star(self):
        """`%` stays on its level, `*` goes down; INBOX is case-blind."""
        top = self.listed('"" %')
        self.assertEqual(
            set(top), {"INBOX", "Archive", "Deleted Items", "Drafts", "Junk", "Sent", "Work", "a b"}
        )
        self.assertIn("\\HasChildren", top["Work"])
        self.assertEqual(set(self.listed('"" Work/%')), {"Work/2025"})
        self.assertEqual(set(self.listed('"" Work*')), {"Work", "Work/2025", "Work/2025/May"})
        self.assertEqual(set(self.listed('"" inbox')), {"INBOX"})
        self.assertEqual(set(self.listed('"" inbox/%')), {"INBOX/Team"})

    def test_references(self):
        """The reference stands before the pattern."""
        self.assertEqual(set(self.listed("Work/ %")), {"Work/2025"})
        self.assertEqual(set(self.listed('Work/2025/ "May"')), {"Work/2025/May"})
        self.assertEqual(self.listed("Nowhere/ *"), {})

    def test_the_root(self):
        """An empty pattern asks for the separator and the root, and lists no mailbox."""
        self.assertEqual(self.client.say('a LIST "" ""'), ['* LIST (\\Noselect) "/" ""', "a OK LIST completed"])
        self.assertEqual(self.client.say('a LIST Work/x ""'), ['* LIST (\\Noselect) "/" Work/', "a OK LIST completed"])

    def test_quoting(self):
        """A name with a space is quoted."""
        self.assertEqual(self.client.say('a LIST "" "a b"')[0], '* LIST (\\HasNoChildren) "/" "a b"')

    def test_special_use(self):
        """Special-use attributes are always shown, can be selected and asked for (RFC 6154)."""
        self.assertEqual(self.listed('"" *')["Deleted Items"], ["\\HasNoChildren", "\\Trash"])
        special = self.listed('(SPECIAL-USE) "" *')
        self.assertEqual(set(special), {"Archive", "Deleted Items", "Drafts", "Junk", "Sent"})
        self.assertEqual(self.listed('"" Sent RETURN (SPECIAL-USE)'), {"Sent": ["\\HasNoChildren", "\\Sent"]})
        self.assertEqual(set(self.listed('(SPECIAL-USE) "" S% RETURN (CHILDREN SPECIAL-USE)')), {"Sent"})

    def test_unknown_options(self):
        """Options of extensions that are not there are BAD."""
        self.assertTrue(self.client.say('a LIST (BOGUS) "" *')[0].startswith("a BAD"))
        self.assertTrue(self.client.say('a LIST "" * RETURN (BOGUS)')[0].startswith("a BAD"))
        self.assertTrue(self.client.say('a LIST ""')[0].startswith("a BAD"))

    def test_bad_utf7(self):
        """A pattern in bad UTF-7 matches nothing."""
        self.assertEqual(self.listed('"" &AGE-*'), {})
        self.assertEqual(self.listed('"" "caf\xe9*"'), {})

    def test_part_of_a_run(self):
        """A wildcard may stand for characters next to others that UTF-7 writes as one run."""
        for name in ("Bücher/Größe", "Übung", "日本語"):
            self.house.account.create(name)
        self.assertEqual(set(self.listed('"" B&APw-*')), {"B&APw-cher", "B&APw-cher/Gr&APYA3w-e"})
        self.assertEqual(set(self.listed('"" *Gr&APY-%')), {"B&APw-cher/Gr&APYA3w-e"})
        self.assertEqual(set(self.listed('"" &ZeU-*')), {"&ZeVnLIqe-"})
        self.assertEqual(set(self.listed("B&APw-cher/ %")), {"B&APw-cher/Gr&APYA3w-e"})
        self.assertEqual(self.client.say('a LIST B&APw-/x ""')[0], '* LIST (\\Noselect) "/" B&APw-/')

    def test_lsub(self):
        """Subscribed names only; `%` shows a parent as \\Noselect for its children (RFC 3501, 6.3.9)."""
        self.house.account.subscribe("News/comp/mail", True)
        self.house.account.subscribe("Work/2025", True)
        found = self.listed('"" %', "LSUB")
        self.assertEqual(found["News"], ["\\Noselect"])
        self.assertEqual(found["Work"], ["\\Noselect"])
        self.assertEqual(found["INBOX"], [])
        self.assertEqual(self.listed('"" News/%', "LSUB"), {"News/comp": ["\\Noselect"]})
        self.assertEqual(self.listed('"" News*', "LSUB"), {"News/comp/mail": ["\\Noselect"]})
        self.assertEqual(self.listed('"" Work*', "LSUB"), {"Work/2025": []})

    def test_namespace(self):
        """One personal namespace, nothing of others, nothing shared."""
        self.assertEqual(
            self.client.say("a NAMESPACE"), ['* NAMESPACE (("" "/")) NIL NIL', "a OK NAMESPACE completed"]
        )

    def test_status(self):
        """Numbers of a folder, its name quoted where it must be."""
        self.house.account.folder("a b").put(MESSAGE, ["\\Seen"])
        self.house.account.folder("a b").put(MESSAGE)
        self.assertEqual(
            self.client.say('a STATUS "a b" (MESSAGES RECENT unseen UIDNEXT)'),
            ['* STATUS "a b" (MESSAGES 2 RECENT 2 UNSEEN 1 UIDNEXT 3)', "a OK STATUS completed"],
        )
        self.assertTrue(self.client.say("a STATUS inbox (UIDVALIDITY)")[0].startswith("* STATUS INBOX (UIDVALIDITY "))

    def test_status_refused(self):
        """No such folder is NO; unknown or missing items are BAD."""
        self.assertTrue(self.client.say("a STATUS Nowhere (MESSAGES)")[0].startswith("a NO [NONEXISTENT]"))
        for items in ("()", "(BOGUS)", "MESSAGES", "(MESSAGES", ""):
            self.assertTrue(self.client.say(f"a STATUS INBOX {items}")[0].startswith("a BAD"), items)

    def test_a_literal_for_a_name(self):
        """Names may come as literals, wherever they stand."""
        self.client.send("a STATUS {3+}\r\na b (MESSAGES)\r\nb LIST {0+}\r\n {3+}\r\na b\r\n")
        heard = self.client.heard()
        self.assertIn('* STATUS "a b" (MESSAGES 0)', heard)
        self.assertIn('* LIST (\\HasNoChildren) "/" "a b"', heard)
