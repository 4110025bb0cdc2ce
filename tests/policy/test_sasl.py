"""The mechanisms of signing in, with and without initial response, whichever door offers them."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import ROBIN
from tests.scram import Client, one_password
from unitymail.interfaces.login import ActingForAnother, Place, SignInRefused
from unitymail.policy.sasl import MECHANISMS, BadResponse, Challenge, begin, mechanisms
from unitymail.settings.site import SiteSettings

PLACE = Place("smtp", "submission", "192.0.2.7", True)


class FakeLogin:
    """Robin's password is `secret`."""

    def __init__(self):
        self.asked = []

    async def sign_in(self, name, password, place):
        self.asked.append((name, password, place.mechanism))
        if (name, password) != (b"robin", b"secret"):
            raise SignInRefused("bad-credentials", "wrong password")
        return ROBIN

    def scram(self, place):
        return one_password(b"secret", ROBIN, place)


class SaslTestCase(SynchronousTestCase):
    def begin(self, name):
        self.login = FakeLogin()
        self.exchange = begin(name, self.login, PLACE, SiteSettings())

    def answer(self, response):
        return self.successResultOf(Deferred.fromCoroutine(self.exchange.answer(response)))

    def refused(self, response, error):
        self.failureResultOf(Deferred.fromCoroutine(self.exchange.answer(response)), error)


class PlainTests(SaslTestCase):
    def test_plain(self):
        """PLAIN asks with an empty challenge and takes name, password and the identity to act as."""
        self.begin("PLAIN")
        self.assertEqual(self.answer(None), Challenge(b""))
        self.assertEqual(self.answer(b"\0robin\0secret"), ROBIN)
        self.begin("PLAIN")
        self.assertEqual(self.answer(b"Robin\0robin\0secret"), ROBIN)
        self.assertEqual(self.login.asked, [(b"robin", b"secret", "PLAIN")])

    def test_for_somebody_else(self):
        """Nobody acts as another; the password is not even looked at."""
        self.begin("PLAIN")
        self.refused(b"chris\0robin\0secret", ActingForAnother)
        self.assertEqual(self.login.asked, [])

    def test_another_shape(self):
        """A response that is none ends the exchange."""
        for response in (b"", b"robin", b"\0robin", b"a\0b\0c\0d", b"\0\0secret"):
            self.begin("PLAIN")
            self.refused(response, BadResponse)


class LoginTests(SaslTestCase):
    def test_login(self):
        """LOGIN uses exactly the prompts that Outlook wants, and takes the name at once."""
        self.begin("LOGIN")
        self.assertEqual(self.answer(None), Challenge(b"Username:"))
        self.assertEqual(self.answer(b"robin"), Challenge(b"Password:"))
        self.assertEqual(self.answer(b"secret"), ROBIN)
        self.begin("LOGIN")
        self.assertEqual(self.answer(b"robin"), Challenge(b"Password:"))
        self.refused(b"", SignInRefused)
        self.assertEqual(self.login.asked, [(b"robin", b"", "LOGIN")])


class ScramTests(SaslTestCase):
    def setUp(self):
        self.begin("SCRAM-SHA-256")
        self.client = Client("robin", b"secret")

    def test_both_sides_prove_themselves(self):
        """Two round trips, then the server's signature, then an empty response: only that makes the sign-in."""
        self.assertEqual(self.answer(None), Challenge(b""))
        challenge = self.answer(self.client.first())
        final = self.answer(self.client.final(challenge.octets))
        self.assertTrue(self.client.believes(final.octets))
        self.assertEqual(self.answer(b""), ROBIN)

    def test_initial_response(self):
        """The client's first message may come with the command."""
        self.assertTrue(self.answer(self.client.first()).octets.startswith(b"r=" + self.client.nonce.encode()))

    def test_more_than_nothing_at_the_end(self):
        """The last response is empty, or the exchange was in vain."""
        self.answer(self.client.final(self.answer(self.client.first()).octets))
        self.refused(b"x", BadResponse)

    def test_wrong_password(self):
        """A wrong proof gets no server signature."""
        wrong = Client("robin", b"wrong")
        self.refused(wrong.final(self.answer(wrong.first()).octets), SignInRefused)

    def test_garbage(self):
        """What is no message of SCRAM is a bad response, at each step."""
        self.refused(b"", BadResponse)
        self.begin("SCRAM-SHA-256")
        self.answer(self.client.first())
        self.refused(b"", BadResponse)

    def test_for_somebody_else(self):
        """The identity to act as may be the name itself and nobody else."""
        for acting_as, fits in (("robin", True), ("ROBIN", True), ("chris", False)):
            self.begin("SCRAM-SHA-256")
            first = Client("robin", b"secret", header=f"n,a={acting_as},").first()
            self.answer(first) if fits else self.refused(first, ActingForAnother)


class OfferedTests(SaslTestCase):
    def test_scram_only_where_keys_are_kept(self):
        """`auth.scram` off: neither offered nor begun."""
        off = SiteSettings(auth_scram=False)
        self.assertEqual(mechanisms(SiteSettings()), ("PLAIN", "LOGIN", "SCRAM-SHA-256"))
        self.assertEqual(mechanisms(off), ("PLAIN", "LOGIN"))
        self.assertIsNone(begin("SCRAM-SHA-256", FakeLogin(), PLACE, off))
        self.assertIsNone(begin("CRAM-MD5", FakeLogin(), PLACE, SiteSettings()))

    @given(st.sampled_from(sorted(MECHANISMS)), st.lists(st.binary(max_size=60), max_size=4))
    def test_garbage_never_crashes(self, name, responses):
        """Whatever is answered: a challenge, a user, or one of the three refusals."""
        self.begin(name)
        try:
            for response in responses:
                self.answer(response)
        except self.failureException as failed:
            self.assertRegex(str(failed), "BadResponse|ActingForAnother|SignInRefused")
