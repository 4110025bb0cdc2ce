"""Signing in: every way in, every refusal with its code, and STARTTLS that lets nothing through."""

from base64 import b64decode, b64encode
from dataclasses import replace

from twisted.internet import defer
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import DEFAULT_COS, ROBIN
from tests.imap.conversation import House
from tests.scram import Client
from unitymail.settings.site import SiteSettings

ELSEWHERE = "192.0.2.9"


def coded(octets):
    return b64encode(octets).decode()

RIGHT = coded(b"robin\0robin\0secret")
WRONG = coded(b"\0robin\0wrong")
FOR_CHRIS = coded(b"chris\0robin\0secret")


class LoginTests(SynchronousTestCase):
    def test_login(self):
        """LOGIN gives the capabilities that hold from now on."""
        client = House().connect()
        [line] = client.say("a LOGIN robin secret")
        self.assertTrue(line.startswith("a OK [CAPABILITY IMAP4rev1 "))
        self.assertNotIn("AUTH=", line)
        self.assertEqual(client.protocol.state, "auth")

    def test_every_form_of_string(self):
        """Quotes, backslashes, spaces, 8-bit and line ends in a password are no obstacle."""
        house = House()
        house.login.passwords[b"robin"] = b'a"b\\ c\xc3\xa9'
        self.assertIn("a OK", house.connect().say(b'a LOGIN "robin" "a\\"b\\\\ c\xc3\xa9"')[0])
        client = house.connect()
        self.assertEqual(client.say("a LOGIN {5}"), ["+ Ready for 5 octets"])
        self.assertEqual(client.say("robin {8}"), ["+ Ready for 8 octets"])
        client.send(b'a"b\\ c\xc3\xa9\r\n')
        self.assertTrue(client.heard().startswith("a OK"))
        client = house.connect()
        client.send(b'a LOGIN {5+}\r\nrobin {8+}\r\na"b\\ c\xc3\xa9\r\n')
        self.assertTrue(client.heard().startswith("a OK"))

    def test_malformed(self):
        """Too few and too many arguments are BAD, and no sign-in is tried."""
        house = House()
        client = house.connect()
        for arguments in ("", " robin", " robin secret more", ' "robin" "sec', " robin {-3}"):
            self.assertTrue(client.say("a LOGIN" + arguments)[0].startswith("a BAD"), arguments)
        self.assertEqual(house.login.places, [])

    def test_refusals(self):
        """Each refusal has the code of RFC 5530, and no more than the client may know."""
        for kind, code in [("bad-credentials", "AUTHENTICATIONFAILED"), ("expired", "EXPIRED"),
                           ("not-allowed", "AUTHORIZATIONFAILED"), ("needs-tls", "PRIVACYREQUIRED"),
                           ("busy", "UNAVAILABLE")]:
            house = House()
            house.login.refusals[b"robin"] = kind
            [line] = house.connect().say("a LOGIN robin secret")
            self.assertTrue(line.startswith(f"a NO [{code}] "), line)

    def test_three_failures(self):
        """The third failure ends the connection; being busy is no failure."""
        house = House()
        house.login.refusals[b"chris"] = "busy"
        client = house.connect()
        for _ in range(4):
            client.say("a LOGIN chris secret")
        client.say("a LOGIN robin wrong")
        client.say(f"a AUTHENTICATE PLAIN {WRONG}")
        self.assertFalse(client.closed)
        answer = client.say("b LOGIN robin wrong")
        self.assertEqual(
            answer, ["b NO [AUTHENTICATIONFAILED] Name or password is wrong", "* BYE Too many failed sign-ins"]
        )
        self.assertTrue(client.closed)

    def test_no_password_in_the_clear(self):
        """From another machine without TLS: LOGINDISABLED, no AUTH, and PRIVACYREQUIRED for who tries anyway."""
        house = House(tls=object())
        client = house.connect(ELSEWHERE)
        self.assertIn(" LOGINDISABLED", client.greeting)
        self.assertIn(" STARTTLS", client.greeting)
        self.assertNotIn("AUTH=", client.greeting)
        self.assertTrue(client.say("a LOGIN robin secret")[0].startswith("a NO [PRIVACYREQUIRED]"))
        self.assertTrue(client.say("a AUTHENTICATE PLAIN")[0].startswith("a NO [PRIVACYREQUIRED]"))
        self.assertEqual(house.login.places, [])

    def test_where_it_is_allowed(self):
        """This machine may, and every machine where the site says so; 127.0.0.2 counts as another."""
        self.assertNotIn("LOGINDISABLED", House().connect("::1").greeting)
        self.assertIn("LOGINDISABLED", House().connect("127.0.0.2").greeting)
        open_house = House(site=SiteSettings(imap_auth_without_tls=True))
        self.assertNotIn("LOGINDISABLED", open_house.connect(ELSEWHERE).greeting)

    def test_secure_messages_need_tls(self):
        """Whose class shows secure messages signs in under TLS only, on this machine too."""
        cos = replace(DEFAULT_COS, secure_imap=True)
        [line] = House(users=(ROBIN, cos)).connect().say("a LOGIN robin secret")
        self.assertTrue(line.startswith("a NO [PRIVACYREQUIRED]"))

    def test_mailbox_elsewhere(self):
        """A user of another node is told so."""
        [line] = House(users=(replace(ROBIN, home="peer"),)).connect().say("a LOGIN robin secret")
        self.assertEqual(line, "a NO [UNAVAILABLE] Your mailbox is on another node")

    def test_store_away(self):
        """When the mailbox cannot be opened, the place that was taken is given back."""
        house = House()
        house.store.account = lambda id: 1 / 0
        client = house.connect()
        self.assertTrue(client.say("a LOGIN robin secret")[0].startswith("a NO [SERVERBUG]"))
        self.assertEqual(house.ledger.held("imap-user", ROBIN.id), 0)
        self.assertEqual(client.protocol.state, "unauth")

    def test_place(self):
        """The realm learns the door, the client and whether there is TLS."""
        house = House()
        house.connect().say("a LOGIN robin secret")
        [place] = house.login.places
        self.assertEqual((place.service, place.door, place.client, place.tls), ("imap", "imap", "127.0.0.1", False))


class AuthenticateTests(SynchronousTestCase):
    def test_plain(self):
        """PLAIN with an empty challenge: plus, a space, nothing."""
        client = House().connect()
        self.assertEqual(client.say("a AUTHENTICATE plain"), ["+ "])
        self.assertTrue(client.say(coded(b"\0robin\0secret"))[0].startswith("a OK [CAPABILITY"))

    def test_initial_response(self):
        """With an initial response there is no challenge."""
        client = House().connect()
        self.assertTrue(client.say(f"a AUTHENTICATE PLAIN {RIGHT}")[0].startswith("a OK"))

    def test_login_mechanism(self):
        """Outlook's LOGIN: two prompts, or one after an initial response."""
        client = House().connect()
        self.assertEqual(client.say("a AUTHENTICATE LOGIN"), ["+ " + coded(b"Username:")])
        self.assertEqual(client.say(coded(b"robin")), ["+ " + coded(b"Password:")])
        self.assertTrue(client.say(coded(b"secret"))[0].startswith("a OK"))
        client = House().connect()
        self.assertEqual(client.say(f"a AUTHENTICATE LOGIN {coded(b'robin')}"), ["+ " + coded(b"Password:")])
        self.assertTrue(client.say(coded(b"secret"))[0].startswith("a OK"))

    def test_cancel(self):
        """`*` ends the exchange with BAD; then commands go on."""
        client = House().connect()
        client.say("a AUTHENTICATE LOGIN")
        self.assertEqual(client.say("*"), ["a BAD AUTHENTICATE cancelled"])
        self.assertEqual(client.say("b NOOP"), ["b OK NOOP completed"])

    def test_malformed(self):
        """What is not base64, or not of three parts, is BAD; unknown mechanisms are NO."""
        client = House().connect()
        for response in ("!!!!", "YWJj", "=", "a"):
            self.assertTrue(client.say(f"a AUTHENTICATE PLAIN {response}")[0].startswith("a BAD"), response)
        self.assertEqual(client.say("a AUTHENTICATE GSSAPI"), ["a NO [CANNOT] There is no mechanism GSSAPI"])

    def test_for_somebody_else(self):
        """Nobody signs in for another; the third time ends the connection, as wrong passwords do."""
        client = House().connect()
        for last in (False, False, True):
            line = client.say(f"a AUTHENTICATE PLAIN {FOR_CHRIS}")[0]
            self.assertTrue(line.startswith("a NO [AUTHORIZATIONFAILED]"))
            self.assertEqual(client.closed, last)

    def test_too_long(self):
        """A response over 12 KiB is refused, and not taken for a command."""
        client = House().connect()
        client.say("a AUTHENTICATE PLAIN")
        self.assertEqual(client.say("x" * 20_000), ["a BAD [TOOBIG] The line is too long"])
        self.assertEqual(client.say("b NOOP"), ["b OK NOOP completed"])

    def test_pipelined(self):
        """What follows the response in the same packet is the next command."""
        client = House().connect()
        client.send(f"a AUTHENTICATE PLAIN\r\n{RIGHT}\r\nb NOOP\r\n")
        self.assertIn("b OK", client.heard())

    def test_client_leaves_in_between(self):
        """A client that leaves between prompts leaves nothing behind."""
        house = House()
        client = house.connect()
        client.say("a AUTHENTICATE LOGIN")
        client.leave()
        self.assertEqual(house.journal.named("trouble"), [])
        self.assertEqual(house.clock.getDelayedCalls(), [])

    def test_slow_realm(self):
        """Nothing is answered before the realm has spoken."""
        house = House()
        house.login.held = defer.Deferred()
        client = house.connect()
        self.assertEqual(client.say("a LOGIN robin secret"), [])
        house.login.held.callback(None)
        self.assertTrue(client.heard().startswith("a OK"))


class ScramTests(SynchronousTestCase):
    def begin(self, client, robin, at_once=True):
        """Up to the server's challenge."""
        if at_once:
            [said] = client.say(f"a AUTHENTICATE SCRAM-SHA-256 {coded(robin.first())}")
        else:
            self.assertEqual(client.say("a AUTHENTICATE SCRAM-SHA-256"), ["+ "])
            [said] = client.say(coded(robin.first()))
        return b64decode(said[2:], validate=True)

    def test_scram(self):
        """With and without an initial response: challenge, proof, the server's signature, an empty line, OK."""
        for at_once in (True, False):
            house, robin = House(), Client("robin", b"secret")
            client = house.connect()
            [said] = client.say(coded(robin.final(self.begin(client, robin, at_once))))
            self.assertTrue(robin.believes(b64decode(said[2:], validate=True)))
            self.assertEqual(client.protocol.state, "unauth")
            [line] = client.say("")
            self.assertTrue(line.startswith("a OK [CAPABILITY IMAP4rev1 "), line)
            self.assertEqual(client.protocol.state, "auth")

    def test_refusals(self):
        """Each kind has the response that LOGIN gets, whose words it shares; three wrong proofs end the connection."""
        for kind in ("bad-credentials", "expired", "not-allowed", "busy"):
            house, robin = House(), Client("robin", b"secret")
            house.login.refusals[b"robin"] = kind
            client = house.connect()
            said = client.say(coded(robin.final(self.begin(client, robin))))
            self.assertEqual(said, house.connect().say("a LOGIN robin secret"))
        client = House().connect()
        for last in (False, False, True):
            wrong = Client("robin", b"wrong")
            client.say(coded(wrong.final(self.begin(client, wrong))))
            self.assertEqual(client.closed, last)

    def test_what_does_not_fit(self):
        """Channel binding is not offered, nobody acts for another, garbage is BAD, `*` cancels; commands go on."""
        client = House().connect()
        for first, answer in (
            (b"p=tls-unique,,n=robin,r=abc", "a BAD The response does not fit"), (b"", "a BAD"), (b"n,,", "a BAD"),
            (b"n,a=chris,n=robin,r=abc", "a NO [AUTHORIZATIONFAILED]"),
        ):
            [line] = client.say(f"a AUTHENTICATE SCRAM-SHA-256 {coded(first) or '='}")
            self.assertTrue(line.startswith(answer), line)
        robin = Client("robin", b"secret", header="y,,")
        self.begin(client, robin)
        self.assertEqual(client.say("*"), ["a BAD AUTHENTICATE cancelled"])
        client.say(coded(robin.final(self.begin(client, robin))))
        self.assertEqual(client.say("*"), ["a BAD AUTHENTICATE cancelled"])
        self.assertEqual(client.protocol.state, "unauth")
        self.begin(client, robin)
        self.assertEqual(client.say("x" * 20_000), ["a BAD [TOOBIG] The line is too long"])
        self.assertEqual(client.say("b NOOP"), ["b OK NOOP completed"])

    def test_offered_while_keys_are_kept(self):
        """`auth.scram` off: neither among the capabilities nor known."""
        self.assertIn(" AUTH=SCRAM-SHA-256", House().connect().greeting)
        client = House(site=SiteSettings(auth_scram=False)).connect()
        self.assertNotIn("SCRAM", client.greeting)
        [line] = client.say("a AUTHENTICATE SCRAM-SHA-256")
        self.assertEqual(line, "a NO [CANNOT] There is no mechanism SCRAM-SHA-256")

    def test_how_it_came_in(self):
        """The realm learns the mechanism of each way in."""
        house = House()
        house.connect().say("a LOGIN robin secret")
        house.connect().say(f"a AUTHENTICATE PLAIN {RIGHT}")
        client = house.connect()
        for line in (f"a AUTHENTICATE LOGIN {coded(b'robin')}", coded(b"secret")):
            client.say(line)
        self.assertEqual([place.mechanism for place in house.login.places], ["LOGIN", "PLAIN", "LOGIN"])


class StartTLSTests(SynchronousTestCase):
    def setUp(self):
        self.house = House(tls=object())
        self.client = self.house.connect(ELSEWHERE)

    def test_starttls(self):
        """OK first, then TLS; afterwards AUTH is offered and STARTTLS is not."""
        self.assertEqual(self.client.say("a STARTTLS"), ["a OK Begin TLS negotiation now"])
        self.assertIs(self.client.wire.tls_context, self.house.door.tls)
        [line, _] = self.client.say("b CAPABILITY")
        self.assertIn(" AUTH=PLAIN", line)
        self.assertNotIn("STARTTLS", line)
        self.assertNotIn("LOGINDISABLED", line)
        self.assertEqual(self.client.say("c STARTTLS"), ["c BAD TLS is on already"])

    def test_injection(self):
        """Commands and half commands sent before the handshake never run under TLS."""
        self.client.send("a STARTTLS\r\nb CAPABILITY\r\nc LOGIN {5+}\r\nrob")
        self.assertEqual(self.client.heard(), "a OK Begin TLS negotiation now\r\n")
        self.client.send("d NOOP\r\n")
        self.assertEqual(self.client.heard(), "d OK NOOP completed\r\n")

    def test_without_a_certificate(self):
        """A door without TLS does not offer it."""
        client = House().connect(ELSEWHERE)
        self.assertNotIn("STARTTLS", client.greeting)
        self.assertEqual(client.say("a STARTTLS"), ["a BAD There is no TLS here"])

    def test_not_after_signing_in(self):
        """After signing in it is too late."""
        client = House(tls=object()).signed_in()
        self.assertTrue(client.say("a STARTTLS")[0].startswith("a BAD"))

    def test_implicit(self):
        """The imaps door begins with the handshake and offers no STARTTLS."""
        house = House(tls=object(), implicit_tls=True)
        client = house.connect(ELSEWHERE)
        self.assertIs(client.wire.tls_context, house.door.tls)
        self.assertIn(" AUTH=PLAIN", client.greeting)
        self.assertNotIn("STARTTLS", client.greeting)


class DirectoryChangesTests(SynchronousTestCase):
    def test_who_was_deleted_goes_no_further(self):
        """`user delete` ends what a signed-in client can do, at its next command; LOGOUT still works."""
        house = House()
        client, other = house.selected(), house.selected()
        del house.book.by_id[ROBIN.id]
        heard = client.say("b STATUS INBOX (MESSAGES)")
        self.assertEqual(heard, ["* BYE [UNAVAILABLE] The account you signed in with is no longer there"])
        self.assertTrue(client.closed)
        self.assertIn("b OK LOGOUT completed", other.say("b LOGOUT"))

    def test_a_changed_password_ends_the_sessions_of_the_old_one(self):
        """Whoever has it goes no further, and idles no further; who came in with the new one stays."""
        house = House()
        client, idle = house.selected(), house.selected()
        idle.say("a IDLE")
        house.book.usn = house.book.passwords[ROBIN.id] = 9
        bye = "* BYE [UNAVAILABLE] Your password was changed; please sign in again"
        self.assertEqual(client.say("b NOOP"), [bye])
        house.clock.advance(120)
        self.assertEqual(idle.heard(), f"* OK Still here\r\n{bye}\r\n")
        self.assertTrue(client.closed and idle.closed)
        self.assertIn("b OK NOOP completed", house.signed_in().say("b NOOP"))

    def test_a_password_that_changes_during_the_sign_in(self):
        """Which of the two it was nobody knows: the next command asks for another sign-in."""
        house = House()
        client = house.connect()
        client.say("a AUTHENTICATE PLAIN")
        house.book.usn = house.book.passwords[ROBIN.id] = 9
        self.assertIn("a OK", client.say(RIGHT)[0])
        self.assertIn("* BYE [UNAVAILABLE]", client.say("b NOOP")[0])

    def test_a_class_that_loses_imap_ends_its_sessions(self):
        """The class of service holds from now on, not from the next sign-in; a mailbox that moved likewise."""
        for change in (replace(DEFAULT_COS, access_imap=False), replace(ROBIN, home="vm2")):
            house = House()
            client = house.signed_in()
            self.assertIn("b OK NOOP completed", client.say("b NOOP"))
            house.book.by_id[change.id] = change
            [bye] = client.say("c NOOP")
            self.assertRegex(bye, r"\* BYE \[\w+\] Your ")
