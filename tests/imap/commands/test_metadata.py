"""METADATA: the examples of RFC 5464, its limits, and what becomes of annotations."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.disk import Disk
from unitymail.imap.annotation import MOST_ENTRIES
from unitymail.interfaces.store import MAX_METADATA_ENTRIES, MAX_METADATA_OCTETS
from unitymail.store import Store


class MetadataTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()

    def ok(self, line, client=None):
        *untagged, tagged = (client or self.client).say(f"a {line}")
        self.assertTrue(tagged.startswith("a OK"), (line, tagged))
        return untagged

    def test_set_and_get(self):
        """4.2 and 4.3: one entry, several, and removed again."""
        self.assertEqual(self.ok('SETMETADATA INBOX (/private/comment "My own comment")'), [])
        self.assertEqual(
            self.ok('GETMETADATA "INBOX" /private/comment'),
            ['* METADATA INBOX (/private/comment "My own comment")'],
        )
        self.ok('SETMETADATA INBOX (/private/comment "My new comment" /shared/comment "This one is for you!")')
        self.assertEqual(
            self.ok('GETMETADATA "INBOX" (/shared/comment /private/comment)'),
            ['* METADATA INBOX (/shared/comment "This one is for you!" /private/comment "My new comment")'],
        )
        self.ok("SETMETADATA INBOX (/private/comment NIL)")
        self.assertEqual(self.ok("GETMETADATA INBOX /private/comment"), ["* METADATA INBOX (/private/comment NIL)"])

    def test_two_lines(self):
        """4.3: a value in a literal, with a line end in it."""
        self.client.send("a SETMETADATA INBOX (/private/comment {32}\r\n")
        self.assertTrue(self.client.heard().startswith("+ "))
        self.client.send("My new comment across\r\ntwo lines)\r\n")
        self.assertEqual(self.client.heard(), "a OK SETMETADATA completed\r\n")
        self.client.send("a GETMETADATA INBOX /private/comment\r\n")
        self.assertEqual(
            self.client.heard(),
            "* METADATA INBOX (/private/comment {32}\r\nMy new comment across\r\ntwo lines)\r\n"
            "a OK GETMETADATA completed\r\n",
        )

    def test_any_octets(self):
        """A literal8 brings NUL and all other octets, and they come back in one."""
        octets = bytes(range(256))
        self.client.send(b"a SETMETADATA INBOX (/private/vendor/x/y ~{256+}\r\n" + octets + b")\r\n")
        self.assertEqual(self.client.heard(), "a OK SETMETADATA completed\r\n")
        self.client.send(b"a GETMETADATA INBOX /private/vendor/x/y\r\n")
        self.assertIn("~{256}\r\n" + octets.decode("latin-1"), self.client.heard())
        self.client.send("a SETMETADATA INBOX (/private/comment {4+}\r\né!!)\r\n")
        self.client.heard()
        self.client.send(b"a GETMETADATA INBOX /private/comment\r\n")
        self.assertIn("{4}\r\n", self.client.heard())

    def test_maxsize(self):
        """4.2.1: what is longer is left out, and how long the longest was is told; options before or after the name."""
        long = "x" * 2199
        self.ok(f'SETMETADATA INBOX (/shared/comment "{long}" /private/comment "My own comment")')
        for arguments in ("INBOX (MAXSIZE 1024)", "(MAXSIZE 1024) INBOX", "(MAXSIZE 1024) INBOX (DEPTH 0)"):
            self.assertEqual(
                self.client.say(f"a GETMETADATA {arguments} (/shared/comment /private/comment)"),
                ['* METADATA INBOX (/private/comment "My own comment")',
                 "a OK [METADATA LONGENTRIES 2199] GETMETADATA completed"],
            )
        self.assertEqual(
            self.client.say("a GETMETADATA INBOX (MAXSIZE 2198) /shared/comment"),
            ["a OK [METADATA LONGENTRIES 2199] GETMETADATA completed"],
        )
        self.assertEqual(len(self.ok("GETMETADATA INBOX (MAXSIZE 2199) /shared/comment")), 1)

    def test_depth(self):
        """4.2.2: an entry alone, with those right below it, or with all below it."""
        self.ok(
            'SETMETADATA INBOX (/private/filters/values/small "SMALLER 5000"'
            ' /private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/valuesnot "n"'
            ' /private/filters/values/a/b "deep")'
        )
        self.assertEqual(
            self.ok("GETMETADATA INBOX (DEPTH 1) /private/filters/values"),
            ['* METADATA INBOX (/private/filters/values/boss "FROM \\"boss@example.com\\""'
             ' /private/filters/values/small "SMALLER 5000")'],
        )
        self.assertEqual(
            self.ok("GETMETADATA INBOX (DEPTH 0) /private/filters/values"),
            ["* METADATA INBOX (/private/filters/values NIL)"],
        )
        (everything,) = self.ok("GETMETADATA INBOX (DEPTH infinity) /private")
        for entry in ("values/a/b", "values/boss", "values/small", "valuesnot"):
            self.assertIn(f"/private/filters/{entry} ", everything)
        self.assertEqual(
            self.ok("GETMETADATA INBOX (DEPTH INFINITY) /private/nothing"),
            ["* METADATA INBOX (/private/nothing NIL)"],
        )

    def test_case_of_entries(self):
        """Letter case means nothing in names; the client gets back what it wrote."""
        self.ok('SETMETADATA INBOX (/Private/Vendor/Acme/Color "#b71c1c")')
        self.assertEqual(
            self.ok("GETMETADATA INBOX /PRIVATE/vendor/acme/COLOR"),
            ['* METADATA INBOX (/PRIVATE/vendor/acme/COLOR "#b71c1c")'],
        )

    def test_the_server(self):
        """3.2.1.1: private annotations of the server are the account's; how to reach the administrator is fixed."""
        self.assertEqual(
            self.ok('GETMETADATA "" /shared/admin'),
            [f'* METADATA "" (/shared/admin "mailto:postmaster@{self.house.book.domain}")'],
        )
        self.assertEqual(
            self.client.say('a SETMETADATA "" (/private/comment "x" /shared/admin "mailto:me@example.com")'),
            ["a NO [NOPERM] Shared annotations of the server are not yours to change; private ones are"],
        )
        self.assertEqual(self.ok('GETMETADATA "" /private/comment'), ['* METADATA "" (/private/comment NIL)'])
        self.ok('SETMETADATA "" (/private/vendor/acme/theme "dark")')
        self.assertEqual(
            self.ok('GETMETADATA "" (DEPTH infinity) (/private /shared)'),
            [f'* METADATA "" (/private/vendor/acme/theme dark /shared/admin '
             f'"mailto:postmaster@{self.house.book.domain}")'.replace(" dark", ' "dark"')],
        )
        self.assertEqual(self.ok("GETMETADATA INBOX /shared/admin"), ["* METADATA INBOX (/shared/admin NIL)"])

    def test_one_users_annotations_are_nobody_elses(self):
        """Another user sees neither those of the server nor those of a mailbox of the same name."""
        self.ok('SETMETADATA "" (/private/comment "mine")')
        self.ok('SETMETADATA INBOX (/shared/comment "mine")')
        other = self.house.connect()
        other.say("x LOGIN chris secret")
        self.assertEqual(self.ok('GETMETADATA "" /private/comment', other), ['* METADATA "" (/private/comment NIL)'])
        self.assertEqual(
            self.ok("GETMETADATA INBOX /shared/comment", other), ["* METADATA INBOX (/shared/comment NIL)"]
        )

    def test_too_long(self):
        """The largest value that is possible is, and one octet more says so; nothing else of the command is done."""
        for size, answer in (
            (MAX_METADATA_OCTETS, "a OK SETMETADATA completed\r\n"),
            (MAX_METADATA_OCTETS + 1, "a NO [METADATA MAXSIZE 65536] The value is too long: 65537 octets, and 65536"
                                      " are possible\r\n"),
        ):  # fmt: skip
            self.client.send(f"a SETMETADATA INBOX (/private/comment \"c{size}\" /private/x {{{size}+}}\r\n")
            self.client.send("x" * size + ")\r\n")
            self.assertTrue(self.client.heard().startswith(answer[:40]), size)
        self.assertEqual(
            self.ok("GETMETADATA INBOX /private/comment"),
            [f'* METADATA INBOX (/private/comment "c{MAX_METADATA_OCTETS}")'],
        )

    def test_too_many(self):
        """4.3: new entries stop at the limit, old ones can still be changed and removed."""
        for number in range(MAX_METADATA_ENTRIES):
            self.house.account.set_metadata("INBOX", {f"/private/e{number}": b"x"})
        answer = self.client.say('a SETMETADATA INBOX (/private/comment "My new comment")')
        self.assertTrue(answer[0].startswith("a NO [METADATA TOOMANY]"), answer)
        self.ok('SETMETADATA INBOX (/private/e0 "changed")')
        self.ok('SETMETADATA INBOX (/private/e1 NIL /private/comment "in its place")')

    def test_refused(self):
        """No such mailbox is NO; names and lists that cannot be are BAD."""
        for line in ("GETMETADATA Nowhere /private/comment", "SETMETADATA Nowhere (/private/comment NIL)"):
            self.assertTrue(self.client.say(f"a {line}")[0].startswith("a NO [NONEXISTENT]"), line)
        for line in (
            "GETMETADATA INBOX /other/comment", "GETMETADATA INBOX comment", "GETMETADATA INBOX /private/a*",
            "GETMETADATA INBOX /private/%", "GETMETADATA INBOX /private//x", "GETMETADATA INBOX /private/x/",
            "GETMETADATA INBOX /privateer/x", "GETMETADATA INBOX ()", "GETMETADATA INBOX", "GETMETADATA INBOX (",
            "GETMETADATA INBOX (MAXSIZE) /private/x", "GETMETADATA INBOX (DEPTH 2) /private/x",
            "GETMETADATA INBOX (BOGUS 2) /private/x", "GETMETADATA (MAXSIZE 1)",
            f"GETMETADATA INBOX /private/{'x' * 300}",
            "SETMETADATA INBOX", "SETMETADATA INBOX ()", "SETMETADATA INBOX (/private/x)",
            "SETMETADATA INBOX (/private/x y)", "SETMETADATA INBOX /private/x NIL", "SETMETADATA INBOX (/private NIL)",
            'SETMETADATA INBOX (/private/x "1" /private/y)', 'GETMETADATA INBOX "/private/\x01"',
        ):  # fmt: skip
            self.assertTrue(self.client.say(f"a {line}")[0].startswith("a BAD"), line)
            self.client.say("b NOOP")

    def test_very_many_entries_at_once(self):
        """A command names five hundred entries at most."""
        several = " ".join(f"/private/{number}" for number in range(MOST_ENTRIES))
        self.assertEqual(len(self.ok(f"GETMETADATA INBOX ({several})")), 1)
        answer = self.client.say(f"a GETMETADATA INBOX ({several} /private/more)")
        self.assertEqual(answer, [f"a BAD At most {MOST_ENTRIES} entries at once"])

    def test_news(self):
        """4.4.2: who enabled METADATA is told what somebody else changed, without values, and not what it changed."""
        other = self.house.signed_in()
        self.assertEqual(self.ok("ENABLE METADATA"), ["* ENABLED METADATA"])
        self.ok('SETMETADATA INBOX (/shared/comment "mine")')
        self.assertEqual(self.ok("NOOP"), [])
        self.ok('SETMETADATA INBOX (/shared/comment "theirs" /private/comment "theirs")', other)
        self.ok('SETMETADATA "" (/private/comment "theirs")', other)
        self.assertEqual(
            self.ok("NOOP"),
            ['* METADATA "" /private/comment', "* METADATA INBOX /private/comment /shared/comment"],
        )
        self.assertEqual(self.ok("NOOP"), [])
        self.ok("SETMETADATA INBOX (/shared/comment NIL)", other)
        self.assertEqual(self.ok("NOOP"), ["* METADATA INBOX /shared/comment"])
        self.assertEqual(self.ok("NOOP", other), [])

    def test_a_ring(self):
        """Whoever watches the mailbox hears of it."""
        self.ok('SETMETADATA Sent (/shared/comment "x")')
        self.ok('SETMETADATA "" (/private/comment "x")')
        rung = [folder for account, folder in self.house.doorbell.rings if account == self.house.account.id]
        self.assertEqual(rung[-2:], ["Sent", "INBOX"])

    def test_special_use(self):
        """RFC 6154, 5.4: the entry shows a mailbox's special use, and changes it; who loses it is told of."""
        self.house.account.create("SavedDrafts")
        other = self.house.signed_in()
        self.ok("ENABLE METADATA", other)
        self.assertEqual(
            self.ok('GETMETADATA "Drafts" /private/specialuse'),
            ['* METADATA Drafts (/private/specialuse "\\\\Drafts")'],
        )
        self.ok('SETMETADATA "SavedDrafts" (/private/specialuse "\\\\Drafts")')
        self.assertEqual(
            self.ok("NOOP", other),
            ["* METADATA Drafts /private/specialuse", "* METADATA SavedDrafts /private/specialuse"],
        )
        self.ok('SETMETADATA "Sent" (/private/specialuse NIL)')
        self.assertEqual(
            self.ok('LIST "" (Sent Drafts SavedDrafts "Deleted Items") RETURN (SPECIAL-USE)'),
            [
                '* LIST (\\HasNoChildren \\Trash) "/" "Deleted Items"',
                '* LIST (\\HasNoChildren) "/" Drafts',
                '* LIST (\\HasNoChildren \\Drafts) "/" SavedDrafts',
                '* LIST (\\HasNoChildren) "/" Sent',
            ],
        )

    def test_special_use_that_cannot_be(self):
        """A use that we do not have is refused, and nothing else of the command is done."""
        answer = self.client.say('a SETMETADATA Sent (/private/comment "x" /private/specialuse "\\\\All")')
        self.assertTrue(answer[0].startswith("a NO [USEATTR]"), answer)
        self.assertEqual(
            self.ok("GETMETADATA Sent (DEPTH infinity) /private"),
            ['* METADATA Sent (/private/specialuse "\\\\Sent")'],
        )


class MetadataOnDisk(MetadataTests):
    """The same conversations with the real store, and what survives."""

    def setUp(self):
        self.place = self.mktemp()
        self.open()

    def open(self):
        store = Store(self.place, disk=Disk(), now=lambda: 1_795_000_000.0, host="h")
        self.addCleanup(store.close)
        self.house = House(store=store)
        self.house.store = store
        self.client = self.house.signed_in()

    def test_it_survives(self):
        """RENAME takes annotations along, DELETE takes them away, a restart leaves them."""
        self.ok("CREATE Work/Old")
        self.ok('SETMETADATA Work/Old (/private/comment "x")')
        self.ok("RENAME Work Play")
        self.house.store.close()
        self.open()
        self.assertEqual(
            self.ok("GETMETADATA Play/Old /private/comment"), ['* METADATA Play/Old (/private/comment "x")']
        )
        self.ok("DELETE Play/Old")
        self.ok("CREATE Play/Old")
        self.assertEqual(
            self.ok("GETMETADATA Play/Old /private/comment"), ["* METADATA Play/Old (/private/comment NIL)"]
        )

    def test_rename_inbox(self):
        """4.1: the mailbox that INBOX's messages go to gets its annotations, and INBOX keeps them."""
        self.ok('SETMETADATA INBOX (/private/comment "x")')
        self.ok("RENAME INBOX old-mail")
        for name in ("INBOX", "old-mail"):
            self.assertEqual(
                self.ok(f"GETMETADATA {name} /private/comment"), [f'* METADATA {name} (/private/comment "x")']
            )
