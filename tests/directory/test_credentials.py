"""Passwords and counters as kept: versions grow, history is bounded, two processes count together."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import insert
from zope.interface.verify import verifyObject

from tests.directory.places import DirectoryTestCase
from unitymail.directory.credentials import Credentials, _fresh
from unitymail.directory.sql.database import Database
from unitymail.directory.sql.schema import credentials
from unitymail.interfaces.directory import Attempts, Credential, ICredentials, ScramKeys, Secret


class CredentialsTests(DirectoryTestCase):
    def setUp(self):
        super().setUp()
        self.robin = self.user("robin")
        self.credentials = Credentials(self.database)

    def set_password(self, *hashes):
        for one in hashes:
            with self.directory.change("tester") as change:
                change.set_password(self.robin.id, Secret(one))

    def test_it_keeps_the_contract(self):
        """What the doors ask for is there."""
        verifyObject(ICredentials, self.credentials)

    def test_what_is_kept(self):
        """The hash, the SCRAM keys and when; a user without a password has none of it."""
        self.assertIsNone(self.credentials.read(self.robin.id))
        keys = ScramKeys(b"salt", 100_000, b"stored", b"server")
        with self.directory.change("tester") as change:
            change.set_password(self.robin.id, Secret("hash", keys, must_change=True))
        self.assertEqual(
            self.credentials.read(self.robin.id),
            Credential(self.robin.id, "hash", 1, self.time, must_change=True, scram=keys),
        )

    def test_versions_grow_and_history_is_bounded(self):
        """Each change makes cached sign-ins worthless; only as many old passwords stay as the rule says."""
        self.set_site(auth__history="3")
        self.set_password("one", "two", "three", "four", "five")
        self.assertEqual(self.credentials.read(self.robin.id).version, 5)
        with self.directory.read() as view:
            self.assertEqual(view.old_passwords(self.robin.id, 10), ["five", "four", "three"])
            self.assertEqual(view.old_passwords(self.robin.id, 2), ["five", "four"])

    def test_a_new_password_ends_a_lock(self):
        """So does unlocking."""
        locked = Attempts(7, 1.0, 2.0, 9e9)
        for way in (lambda change: change.set_password(self.robin.id, Secret("new")),
                    lambda change: change.unlock(self.robin.id)):  # fmt: skip
            self.set_password("old")
            self.credentials.conclude(self.robin.id, lambda attempts: locked)
            self.assertEqual(self.credentials.read(self.robin.id).attempts, locked)
            with self.directory.change("tester") as change:
                way(change)
            self.assertEqual(self.credentials.read(self.robin.id).attempts, Attempts())

    def test_no_wrong_password_goes_uncounted(self):
        """Guesses that end at the same moment, through two connections, are all counted."""
        self.set_password("one")
        other = Database(self.path)
        self.addCleanup(other.close)
        ways = [self.credentials, Credentials(other)]

        def guess(number):
            ways[number % 2].conclude(self.robin.id, lambda a: replace(a, failures=a.failures + 1))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(guess, range(40)))
        self.assertEqual(self.credentials.read(self.robin.id).attempts.failures, 40)

    def test_iterations_like_somebodys(self):
        """Those of the user whose id follows, behind the last one the first's; users without keys are passed over."""
        self.assertIsNone(self.credentials.iterations_like("m"))
        with self.database.changing() as connection:
            for owner, iterations in (("", 1), ("b", 2), ("d", None), ("f", 6)):
                keys = ScramKeys(b"salt", iterations, b"stored", b"server") if iterations else None
                connection.execute(insert(credentials).values(_fresh(owner, Secret("x", keys), version=1, now=0.0)))
        found = [self.credentials.iterations_like(place) for place in ("a", "b", "c", "d", "f", "g")]
        self.assertEqual(found, [2, 6, 6, 6, 2, 2])

    def test_the_decoy_is_made_once(self):
        """Later starts keep the first one."""
        self.credentials.ensure_decoy("first")
        self.credentials.ensure_decoy("second")
        self.assertEqual(self.credentials.read("").password_hash, "first")
