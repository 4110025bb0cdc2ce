"""MULTISEARCH (RFC 7377): one search in several mailboxes, none of which is selected for it."""

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House


class Many(SynchronousTestCase):
    """The mailboxes of the RFC's examples: folder1, folder2, folder2/banana, folder2/peach, folder2/salmon."""

    def setUp(self):
        self.house = House()
        account = self.house.account
        for name, subjects in {
            "folder1": ("chocolate", "fish"), "folder2": (), "folder2/banana": ("fish",), "folder2/peach": (),
            "folder2/salmon": ("fish", "salmon", "chocolate", "fish"), "folder2/salmon/old": ("fish",),
        }.items():
            folder = account.create(name)
            for subject in subjects:
                folder.put(f"Subject: {subject}\r\n\r\n{subject}\r\n".encode(), recent=False)
        for subject in ("fish", "meat"):
            self.house.inbox.put(f"Subject: {subject}\r\n\r\n".encode(), recent=False)
        self.client = self.house.signed_in()

    def found(self, line, client=None):
        """{mailbox: what is said of it}, once the ending is OK."""
        tag = line.split()[0]
        *told, ending = (client or self.client).say(line)
        self.assertEqual(ending, f"{tag} OK ESEARCH completed")
        answers = {}
        for one in told:
            whole = re.fullmatch(r'\* ESEARCH \(TAG "(\w+)" MAILBOX (\S+) UIDVALIDITY (\d+)\) UID ?(.*)', one)
            self.assertEqual(whole[1], tag)
            self.assertEqual(int(whole[3]), self.house.account.folder(whole[2]).snapshot.uidvalidity)
            answers[whole[2]] = whole[4]
        return answers

    def test_example(self):
        """Each mailbox with matches has its answer, by UID; the others have none (2.1)."""
        self.assertEqual(self.found('tag1 ESEARCH IN (mailboxes "folder1" subtree "folder2") SUBJECT fish'), {
            "folder1": "ALL 2", "folder2/banana": "ALL 1", "folder2/salmon": "ALL 1,4", "folder2/salmon/old": "ALL 1",
        })
        self.assertEqual(self.found('tag2 ESEARCH IN (mailboxes "folder1" subtree-one "folder2") TEXT "salmon"'),
                         {"folder2/salmon": "ALL 2"})

    def test_return_options(self):
        """What RETURN asks for is said of each mailbox."""
        found = self.found("a ESEARCH IN (personal) RETURN (MIN MAX COUNT) UNSEEN SUBJECT fish")
        self.assertEqual(found, {
            "INBOX": "MIN 1 MAX 1 COUNT 1", "folder1": "MIN 2 MAX 2 COUNT 1", "folder2/banana": "MIN 1 MAX 1 COUNT 1",
            "folder2/salmon": "MIN 1 MAX 4 COUNT 2", "folder2/salmon/old": "MIN 1 MAX 1 COUNT 1",
        })
        self.assertEqual(self.found("a ESEARCH IN (mailboxes folder2/salmon) RETURN (PARTIAL -1:-2) ALL"),
                         {"folder2/salmon": "PARTIAL (-1:-2 3:4)"})

    def test_filters_overlap(self):
        """A mailbox that several filters take is searched once; one that is not there is no error."""
        self.assertEqual(self.found("a ESEARCH IN (inboxes mailboxes (INBOX nowhere) subtree INBOX) SUBJECT fish"),
                         {"INBOX": "ALL 1"})

    def test_selected(self):
        """Without IN the selected mailbox is searched, by the same rules as others; it stays selected."""
        client = self.house.selected("folder1")
        self.assertEqual(self.found("a ESEARCH SUBJECT fish", client), {"folder1": "ALL 2"})
        self.assertEqual(self.found("a ESEARCH 1 SUBJECT fish", client), {})
        self.assertEqual(self.found("a ESEARCH RETURN (MIN COUNT) SUBJECT meat", client), {})
        self.assertEqual(self.found("a ESEARCH IN (selected inboxes) RETURN (COUNT) ALL", client),
                         {"INBOX": "COUNT 2", "folder1": "COUNT 2"})
        self.assertEqual(client.say("a SEARCH ALL")[0], "* SEARCH 1 2")

    def test_nothing_is_selected_or_changed(self):
        """A search leaves no trace in the mailboxes: \\Recent is still to be claimed."""
        self.house.inbox.put(b"Subject: fish\r\n\r\n")
        self.assertEqual(self.found("a ESEARCH IN (inboxes) RECENT"), {"INBOX": "ALL 3"})
        self.assertEqual(self.client.session.state, "auth")
        self.assertIn("* 1 RECENT", self.client.say("a SELECT INBOX"))

    def test_save(self):
        """SAVE is for the selected mailbox alone (2.1)."""
        client = self.house.selected("folder1")
        self.assertEqual(client.say("a ESEARCH RETURN (SAVE) SUBJECT fish"), ["a OK ESEARCH completed"])
        self.assertEqual(client.say("a UID SEARCH $")[0], "* SEARCH 2")
        self.assertEqual(client.say("a ESEARCH RETURN (SAVE COUNT) SUBJECT meat"), ["a OK ESEARCH completed"])
        self.assertEqual(client.say("a UID SEARCH $")[0], "* SEARCH")
        self.assertTrue(client.say("a ESEARCH IN (inboxes) RETURN (SAVE) ALL")[0].startswith("a BAD "))

    def test_updates(self):
        """Only the selected mailbox can be followed; others are searched without (RFC 5267, 4.3.1)."""
        heard = self.client.say("a ESEARCH IN (inboxes) RETURN (UPDATE COUNT) ALL")
        self.assertTrue(heard[0].startswith('* NO [NOUPDATE "a"] '))
        self.assertEqual(len(heard), 3)

    def test_bad(self):
        """Numbers and `$` have no meaning in other mailboxes; without a selected one IN is needed."""
        for line in (
            "ESEARCH ALL", "ESEARCH IN (selected) ALL", "ESEARCH IN (inboxes) 1:3", "ESEARCH IN (inboxes) $",
            "ESEARCH IN (inboxes) UID $", "ESEARCH IN () ALL", "ESEARCH IN (selected-delayed) ALL",
            "ESEARCH IN inboxes ALL", "ESEARCH IN (inboxes)", "ESEARCH IN (inboxes) RETURN (FOO) ALL",
            "ESEARCH IN (mailboxes) ALL", "ESEARCH", "UID ESEARCH IN (inboxes) ALL",
        ):
            self.assertTrue(self.client.say("a " + line)[-1].startswith("a BAD "), line)
            self.client.say("a NOOP")

    def test_refused(self):
        """Limits and charsets are refused as for SEARCH."""
        many = "IN (inboxes" + " personal" * 200 + ") ALL"
        for line, code in (("IN (inboxes) CHARSET KOI8-R ALL", "BADCHARSET"), (many, "LIMIT")):
            self.assertTrue(self.client.say(f"a ESEARCH {line}")[0].startswith(f"a NO [{code}"), line)

    def test_names(self):
        """Names come back as the client spells them."""
        self.house.account.create("été").put(b"Subject: x\r\n\r\n")
        heard = self.client.say("a ESEARCH IN (subtree &AOk-t&AOk-) ALL")
        self.assertIn(' MAILBOX &AOk-t&AOk- UIDVALIDITY ', heard[0])

    def test_deleted_meanwhile(self):
        """A mailbox that somebody deletes during the search is left out."""
        folder = self.house.account.folder("folder2/banana")
        listed = self.house.account.folders

        def folders():
            found = listed()
            self.house.account.delete("folder2/banana")
            return found

        self.house.account.folders = folders
        self.assertEqual(self.found("a ESEARCH IN (subtree folder2/banana mailboxes folder1) SUBJECT fish"),
                         {"folder1": "ALL 2"})
        self.assertTrue(folder.deleted)
