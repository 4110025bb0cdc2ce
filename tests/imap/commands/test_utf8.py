"""UTF8=ACCEPT for names (RFC 6855): UTF-8 both ways once enabled, modified UTF-7 before."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House

NAME = "Entwürfe & 草稿"


class Utf8Tests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.client = self.house.signed_in()

    def ok(self, line, client=None):
        client = client or self.client
        client.send(f"a {line}\r\n".encode())
        *untagged, tagged = client.heard().encode("latin-1").decode("utf-8").split("\r\n")[:-1]
        self.assertTrue(tagged.startswith("a OK"), (line, tagged))
        return untagged

    def enable(self):
        self.assertEqual(self.ok("ENABLE UTF8=ACCEPT"), ["* ENABLED UTF8=ACCEPT"])

    def test_both_ways(self):
        """Every command reads and every response shows the name as it is."""
        self.enable()
        self.ok(f'CREATE "{NAME}"')
        self.ok(f'SUBSCRIBE "{NAME}"')
        self.assertEqual(self.ok('LIST "" "Entwü*"'), [f'* LIST (\\HasNoChildren) "/" "{NAME}"'])
        self.assertEqual(self.ok('LSUB "" "*草%"'), [f'* LSUB () "/" "{NAME}"'])
        self.assertEqual(self.ok(f'STATUS "{NAME}" (MESSAGES)'), [f'* STATUS "{NAME}" (MESSAGES 0)'])
        self.ok(f'SETMETADATA "{NAME}" (/private/comment "x")')
        self.assertEqual(
            self.ok(f'GETMETADATA "{NAME}" /private/comment'), [f'* METADATA "{NAME}" (/private/comment "x")']
        )
        self.assertEqual(self.ok(f'GETQUOTAROOT "{NAME}"')[0], f'* QUOTAROOT "{NAME}" ""')
        self.ok(f'SELECT "{NAME}"')
        self.ok(f'DELETE "{NAME}"')

    def test_others_read_utf7(self):
        """What one client creates in UTF-8, another one that did not enable it sees in modified UTF-7."""
        self.enable()
        self.ok(f'CREATE "{NAME}"')
        other = self.house.signed_in()
        spelled = "Entw&APw-rfe &- &g0l6Pw-"
        self.assertEqual(self.ok('LIST "" Entw*', other), [f'* LIST (\\HasNoChildren) "/" "{spelled}"'])
        self.ok(f'SELECT "{spelled}"', other)

    def test_as_a_literal(self):
        """A name may come in a literal too."""
        self.enable()
        octets = NAME.encode()
        self.client.send(b"a CREATE {%d+}\r\n%b\r\n" % (len(octets), octets))
        self.assertTrue(self.client.heard().startswith("a OK"))

    def test_rev1_rules_stay(self):
        """UTF8=ACCEPT alone is not IMAP4rev2: \\Recent is there, and SEARCH."""
        self.enable()
        self.assertIn("* 0 RECENT", self.ok("SELECT INBOX"))
        self.assertEqual(self.ok("SEARCH ALL"), ["* SEARCH"])

    def test_what_no_name_can_hold(self):
        """Control characters, line and paragraph separators (RFC 6855, 3; 5198)."""
        self.enable()
        for octets in (b"a\x85b".replace(b"\x85", "\x85".encode()), "a\u2028b".encode(), "a\u2029b".encode()):
            self.client.send(b'a CREATE "' + octets + b'"\r\n')
            self.assertTrue(self.client.heard().startswith("a NO [CANNOT]"), octets)

    def test_octets_that_are_no_utf8(self):
        """They are BAD in a name, in a pattern, and in any quoted string (RFC 6855, 3)."""
        self.enable()
        for command in (b"CREATE ", b"SELECT ", b"STATUS x ", b'LIST "" ', b'LSUB "" ', b"APPEND "):
            for octets in (b'"a\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b"{1+}\r\n\xff", b"a\x80"):
                self.client.send(b"a " + command + octets + b"\r\n")
                self.assertTrue(self.client.heard().startswith("a BAD"), (command, octets))
                self.client.say("b NOOP")
        for command in (b'SETMETADATA INBOX (/private/comment "\xff")', b'SEARCH SUBJECT "\xff"'):
            self.client.say("b SELECT INBOX")
            self.client.send(b"a " + command + b"\r\n")
            self.assertIn("a BAD", self.client.heard(), command)
        self.client.send(b"a SETMETADATA INBOX (/private/comment {1+}\r\n\xff)\r\n")
        self.assertEqual(self.client.heard(), "a OK SETMETADATA completed\r\n")
