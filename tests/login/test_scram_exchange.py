"""SCRAM-SHA-256 at the login: the same people, counts, locks, waits and words as with a password, and no more told."""

import hmac
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

from sqlalchemy import delete, insert, select
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from tests.login.signing_in import IMAP, RIGHT, SMTP, LoginTestCase
from tests.scram import Client
from unitymail.directory.sql.schema import credentials
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.login import ActingForAnother, BadScram, IScram, SignInRefused
from unitymail.login import scram
from unitymail.login.examiner import MOST_DELAYED_PER_NETWORK
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import User

KINDS = (
    (b"chris", b"roses"), (b"nobody", b"roses"), (b"robin", b"roses"), (b"robin", RIGHT), (b"terry", RIGHT),
    (b"sam", b"roses"), (b"pat", RIGHT),
)  # fmt: skip
"""Wrong, unknown, locked, locked with the right password, without keys, without a password, on another node."""


class ScramTestCase(LoginTestCase):
    def sign_in(self, *args, scram=True, **kwargs):
        return super().sign_in(*args, scram=scram, **kwargs)

    def refused(self, *args, scram=True, **kwargs):
        return super().refused(*args, scram=scram, **kwargs)

    def challenge(self, name, login=None):
        """(salt, iterations) as shown for a name."""
        exchange = (login or self.login).scram(IMAP)
        said = self.successResultOf(Deferred.fromCoroutine(exchange.challenge(Client(name, b"").first())))
        return said.split(b",")[1:]

    def guess(self, times, name=b"robin", scram=True):
        return [self.refused(name, b"roses", scram=scram)[1] for _ in range(times)]


class ProvingTests(ScramTestCase):
    def test_alias_and_addresses_in_any_case(self):
        """Every name that opens the door with a password opens it with a proof, at IMAP and at submission."""
        verifyObject(IScram, self.login.scram(IMAP))
        for name in (b"robin", b"ROBIN", b"robin@vm1.example.com", b"Robin.Smith@Example.com", "ro\u00adbin".encode()):
            self.assertEqual(self.sign_in(name).id, self.robin.id)
        self.assertEqual(self.sign_in(place=SMTP).id, self.robin.id)

    def test_a_name_in_two_spellings(self):
        """A composed and a decomposed ü are one name."""
        self.add(User("", "m\u00fcller", ""))
        self.book.refresh()
        self.set_password(self.book.user_named("m\u00fcller"), RIGHT, scram=True)
        for name in ("m\u00fcller", "mu\u0308ller"):
            self.assertEqual(self.sign_in(name.encode()).alias, "m\u00fcller")

    def test_a_password_in_two_spellings(self):
        """What a keyboard composes differently is the password all the same; clients prepare it (RFC 5802 2.2)."""
        self.set_password(self.robin, "mu\u0308nchen-42".encode(), scram=True)
        self.assertEqual(self.sign_in(password="m\u00fcnchen-42".encode()).id, self.robin.id)

    def test_it_costs_reads_and_no_hash(self):
        """A good proof on a good day writes nothing and hashes no password."""
        self.sign_in()
        self.assertEqual(self.work, ["read", "like", "read", "read"])

    def test_messages_of_another_exchange(self):
        """A recorded answer is worth nothing: each exchange has its own nonce, and is over after one answer."""
        client, exchange = Client("robin", RIGHT), self.login.scram(IMAP)
        challenge = self.successResultOf(Deferred.fromCoroutine(exchange.challenge(client.first())))
        recorded = client.final(challenge)
        self.successResultOf(Deferred.fromCoroutine(exchange.conclude(recorded)))
        self.failureResultOf(Deferred.fromCoroutine(exchange.conclude(recorded)), BadScram)
        another = self.login.scram(IMAP)
        self.successResultOf(Deferred.fromCoroutine(another.challenge(client.first())))
        self.failureResultOf(Deferred.fromCoroutine(another.conclude(recorded)), BadScram)
        self.failureResultOf(Deferred.fromCoroutine(self.login.scram(IMAP).conclude(recorded)), BadScram)

    def test_the_header_is_bound(self):
        """Whoever changes `y` to `n` on the way, or the identity, is found out."""
        for said, bound in (("n,,", b"y,,"), ("y,,", b"n,,"), ("n,a=robin,", b"n,,")):
            client, exchange = Client("robin", RIGHT, header=said), self.login.scram(IMAP)
            challenge = self.successResultOf(Deferred.fromCoroutine(exchange.challenge(client.first())))
            client.header = bound.decode()
            self.failureResultOf(Deferred.fromCoroutine(exchange.conclude(client.final(challenge))), BadScram)

    def test_nobody_acts_for_another(self):
        """The identity to act as may be the same name, in any case; another ends the exchange before any look."""
        exchange = self.login.scram(IMAP)
        first = Client("robin", RIGHT, header="n,a=chris,").first()
        self.failureResultOf(Deferred.fromCoroutine(exchange.challenge(first)), ActingForAnother)
        self.assertEqual(self.work, [])

    def test_a_password_changed_in_between(self):
        """The proof of the old password is wrong, even under the keys that were shown for it."""
        client, exchange = Client("robin", RIGHT), self.login.scram(IMAP)
        final = client.final(self.successResultOf(Deferred.fromCoroutine(exchange.challenge(client.first()))))
        self.set_password(self.robin, b"roses at dusk", scram=True)
        self.failureResultOf(Deferred.fromCoroutine(exchange.conclude(final)), SignInRefused)
        self.sign_in(password=b"roses at dusk")


class WhatItTellsTests(ScramTestCase):
    def setUp(self):
        super().setUp()
        peer = Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", fingerprint="ab" * 32)
        self.set_site(auth__max_failures="2")
        for alias in ("chris", "terry", "kim", "pat"):
            self.set_password(self.add(User("", alias, "")), RIGHT, scram=alias != "terry")
        self.add(User("", "sam", ""))
        self.replace(replace(self.book_user("pat"), home=self.add(peer).id))
        self.guess(2)

    def book_user(self, alias):
        self.book.refresh()
        return self.book.user_named(alias)

    def test_the_same_words(self):
        """One kind of refusal for all; the reasons are in the journal."""
        found = [self.refused(name, password, place=replace(IMAP, client="10.2.0.1")) for name, password in KINDS]
        self.assertEqual({kind for kind, _ in found}, {"bad-credentials"})
        self.assertEqual(
            [why.partition(";")[0] for _, why in found],
            ["wrong password", "no such user", "the user is locked", "the user is locked",
             "no SCRAM keys are kept for the user", "the user has no password",
             "the user's mailbox is on another node"],
        )  # fmt: skip

    def count(self, scram_too, name, password, client):
        """Every costly step of one refusal, in order. Without keys a password would be right."""
        password = b"roses" if (name, scram_too) == (b"terry", False) else password
        self.work.clear()
        digest = SimpleNamespace(digest=self._digest, compare_digest=hmac.compare_digest)
        with mock.patch("unitymail.login.scram.hmac", digest):
            self.refused(name, password, place=replace(IMAP, client=client), scram=scram_too)
        return tuple(self.work)

    def _digest(self, *args):
        self.work.append("hmac")
        return hmac.digest(*args)

    def test_the_same_work(self):
        """Reads, hashes, HMACs and writes, in the same order, whatever is wrong: nothing for a watch to see."""
        for scram_too, steps in (
            (True, ("read", "hmac", "like", "hmac", "hmac", "hmac", "read", "hmac", "write")),
            (False, ("read", "hash", "write")),
        ):
            found = [self.count(scram_too, *kind, f"10.3.{n}.1") for n, kind in enumerate(KINDS)]
            self.assertEqual(found, [steps] * len(KINDS))

    def test_challenges_look_alike(self):
        """A salt of the same length and the same number of iterations for everybody, and the same each time."""
        for name, _ in KINDS:
            salt, iterations = self.challenge(name.decode())
            self.assertEqual((len(salt), iterations), (len("s=") + 24, b"i=64"))
            self.assertEqual(self.challenge(name.decode()), [salt, iterations])
        self.assertEqual(len({self.challenge(name.decode())[0] for name, _ in KINDS}), 6)

    def test_salts_of_nobody(self):
        """Alias and primary address share one, as a user's do; all processes and every start give the same."""
        salt = self.challenge("nobody")
        for name in ("NOBODY", "nobody@vm1.example.com", "Nobody@VM1.example.com"):
            self.assertEqual(self.challenge(name), salt)
        self.assertNotEqual(self.challenge("nobody@elsewhere.example"), salt)
        self.assertEqual(self.challenge("chris"), self.challenge("chris@vm1.example.com"))
        self.assertEqual(self.challenge("nobody", self.another_process()), salt)

    def test_older_keys_tell_no_name(self):
        """Where some users' keys are of another count still, as many names of nobody show it, each always the same."""
        names = [f"nobody{number}" for number in range(60)]
        self.keys_of_many(32, 32)
        self.assertEqual({self.challenge(name)[1] for name in names}, {b"i=32"})
        self.keys_of_many(32, 64)
        before = {name: self.challenge(name) for name in names}
        self.assertEqual({iterations for _, iterations in before.values()}, {b"i=32", b"i=64"})
        self.assertEqual({name: self.challenge(name, self.another_process()) for name in names}, before)
        for name in names[:3]:
            self.assertEqual(self.challenge(f"{name.upper()}@vm1.example.com"), before[name])
        self.keys_of_many(64, 64)
        for name, (salt, iterations) in before.items():
            now_salt, now = self.challenge(name)
            self.assertEqual((now, now_salt == salt), (b"i=64", iterations == b"i=64"))

    def test_where_nobody_has_keys(self):
        """Names of nobody show what keys would have."""
        with self.database.changing() as connection:
            connection.exec_driver_sql("UPDATE credentials SET scram_salt = NULL, scram_iterations = NULL")
        self.assertEqual({self.challenge(name)[1] for name in ("nobody", "robin")}, {b"i=64"})

    def keys_of_many(self, *iterations):
        """Users whose ids lie all over the range of ids have keys of these counts in turn; nobody else has any."""
        with self.database.changing() as connection:
            connection.execute(delete(credentials).where(credentials.c.owner_id != ""))
            [decoy] = connection.execute(select(credentials)).mappings()
            for number, first in enumerate("0123456789abcdefghijklmnopqrstuv"):
                keys = {"scram_salt": b"salt", "scram_iterations": iterations[number % 2]}
                connection.execute(insert(credentials).values({**decoy, **keys, "owner_id": first}))

    def test_told_to_the_owner_only(self):
        """Expired, to be changed, barred from IMAP: after the right proof, and never after a wrong one."""
        elsewhere = replace(IMAP, client="10.4.0.1")
        self.set_site(auth__max_failures="0")
        kim = self.book_user("kim")
        self.set_password(kim, RIGHT, scram=True, must_change=True)
        self.assertEqual(self.refused(b"kim", place=elsewhere)[0], "expired")
        self.assertEqual(self.refused(b"kim", b"roses", place=elsewhere)[0], "bad-credentials")
        self.replace(replace(self.book_user("chris"), cos=self.add(ClassOfService("", "No IMAP")).id))
        self.assertEqual(self.refused(b"chris", place=elsewhere)[0], "not-allowed")
        self.assertEqual(self.refused(b"chris", b"roses", place=elsewhere)[0], "bad-credentials")
        self.assertEqual(self.sign_in(b"chris", place=replace(SMTP, client="10.4.0.1")).alias, "chris")


class CountingTogetherTests(ScramTestCase):
    def test_both_mechanisms_count_together(self):
        """Four wrong passwords and three wrong proofs are seven; then neither the right password nor proof opens."""
        self.guess(4, scram=False)
        self.assertEqual(self.guess(3)[-1], "the user is locked")
        for scram_too in (True, False):
            self.assertEqual(self.refused(scram=scram_too), ("bad-credentials", "the user is locked"))
        self.time += 30 * 60 + 1
        self.sign_in()
        self.assertEqual(self.credentials.read(self.robin.id).attempts.failures, 0)

    def test_a_remembered_password_is_locked_out_too(self):
        """Wrong proofs end what the minute's memory would have let in."""
        self.sign_in(scram=False)
        self.guess(7)
        self.assertEqual(self.refused(scram=False)[1], "the user is locked")

    def test_who_has_no_keys_is_not_locked_by_proofs(self):
        """A mail program that insists on SCRAM cannot be right, so it must not keep its owner out with PLAIN."""
        self.set_password(self.robin, RIGHT)
        self.assertIn("PLAIN", self.guess(9)[-1])
        self.assertEqual(self.sign_in(place=replace(IMAP, client="10.9.9.9"), scram=False).id, self.robin.id)

    def test_a_guesser_waits(self):
        """The same delays for the same address, whichever way it guesses, and no look before they are over."""
        self.guess(2, b"nobody", scram=False)
        self.guess(2, b"nobody")
        self.work.clear()
        waiting = self.start(b"nobody", scram=True)
        self.assertEqual(self.work, ["read", "like"])
        waiting_too = [self.start(b"nobody", scram=True) for _ in range(MOST_DELAYED_PER_NETWORK - 1)]
        self.assertEqual(self.failureResultOf(self.start(b"nobody", scram=True), SignInRefused).value.kind, "busy")
        self.clock.pump([1] * 60)
        for one in (waiting, *waiting_too):
            self.failureResultOf(one, SignInRefused)

    def test_a_directory_that_is_away(self):
        """At either step the client is told to try again; nothing is counted, the journal has the cause."""
        away = mock.Mock(side_effect=TryAgain(why="database is locked"))
        with mock.patch.object(self.credentials, "read", away):
            self.assertEqual(self.refused()[0], "busy")
        client, exchange = Client("robin", RIGHT), self.login.scram(IMAP)
        final = client.final(self.successResultOf(Deferred.fromCoroutine(exchange.challenge(client.first()))))
        with mock.patch.object(self.credentials, "read", away):
            self.failureResultOf(Deferred.fromCoroutine(exchange.conclude(final)), SignInRefused)
        self.assertEqual(len(self.journal.named("trouble")), 2)


class KeysTests(ScramTestCase):
    def setUp(self):
        super().setUp()
        self.set_password(self.robin, RIGHT)

    def keys(self):
        return self.credentials.read(self.robin.id).scram

    def test_the_next_good_password_makes_them(self):
        """Once: in the background, after the user is in; then the proof opens."""
        self.assertEqual(self.refused()[0], "bad-credentials")
        self.sign_in(scram=False)
        self.assertEqual(self.work.count("derive"), 1)
        self.sign_in()
        self.time += 61
        self.sign_in(scram=False)
        self.assertEqual(self.work.count("derive"), 1)

    def test_keys_of_another_count_are_made_anew(self):
        """Where the count of iterations was changed, the next good password brings the keys up to it."""
        self.set_password(self.robin, RIGHT, scram=True)
        with self.database.changing() as connection:
            connection.exec_driver_sql("UPDATE credentials SET scram_iterations = 32 WHERE owner_id <> ''")
        self.sign_in(scram=False)
        self.assertEqual((self.keys().iterations, self.sign_in().id), (64, self.robin.id))

    def test_no_other_sign_in_makes_them(self):
        """Neither a wrong password, nor one of a locked user, nor one that must be changed, nor where none are kept."""
        self.refused(password=b"roses", scram=False)
        self.guess(7, scram=False)
        self.refused(scram=False)
        self.set_password(self.robin, RIGHT, must_change=True)
        self.refused(scram=False)
        self.set_password(self.robin, RIGHT)
        self.set_site(auth__scram="off")
        self.sign_in(scram=False, place=replace(IMAP, client="10.9.9.9"))
        self.assertNotIn("derive", self.work)
        self.assertIsNone(self.keys())

    def test_switching_off_deletes_them(self):
        """What is kept is gone at once, for everybody; and keys on their way then are not kept."""
        self.sign_in(scram=False)
        self.assertIsNotNone(self.keys())
        self.set_site(auth__scram="off")
        self.assertIsNone(self.keys())
        self.assertEqual(self.refused()[0], "bad-credentials")
        keys = scram.derive(RIGHT, iterations=64)
        self.credentials.keep_scram(self.robin.id, self.credentials.read(self.robin.id).version, keys)
        self.assertIsNone(self.keys())
        self.set_password(self.robin, RIGHT, scram=True)
        self.assertIsNone(self.keys())

    def test_keys_of_an_older_password_are_not_kept(self):
        """A change while they were made wins; and keys that are there stay."""
        keys = scram.derive(RIGHT, iterations=64)
        version = self.credentials.read(self.robin.id).version
        self.credentials.keep_scram(self.robin.id, version - 1, keys)
        self.assertIsNone(self.keys())
        self.credentials.keep_scram(self.robin.id, version, keys)
        self.credentials.keep_scram(self.robin.id, version, scram.derive(b"other", iterations=64))
        self.assertEqual(self.keys(), keys)

    def test_keys_that_cannot_be_kept_keep_nobody_out(self):
        """The user is in; the journal says what went wrong."""
        with mock.patch.object(self.credentials, "keep_scram", mock.Mock(side_effect=TryAgain(why="disk full"))):
            self.assertEqual(self.sign_in(scram=False).id, self.robin.id)
        self.assertEqual(self.journal.named("trouble")[0].args[0], "making SCRAM keys")
