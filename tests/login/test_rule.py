"""The authentication rule of the site, setting by setting, on a real directory: what each does, and what 0 means."""

from dataclasses import replace

from tests.login.signing_in import IMAP, RIGHT, LoginTestCase
from unitymail.admin.operations import passwords
from unitymail.interfaces.directory import Refused
from unitymail.settings.site import FIELDS

MINUTE, DAY = 60, 86_400


class RuleTests(LoginTestCase):
    def setUp(self):
        super().setUp()
        self.guesses = 0

    def rule(self, **settings):
        self.set_site(**{f"auth__{name}": str(value) for name, value in settings.items()})

    def guess(self, times):
        """Reasons of as many wrong passwords, each from an address of its own."""
        return [self.outcome(b"roses") for _ in range(times)]

    def outcome(self, password=RIGHT, scram=False):
        """The reason of a refusal, "" for a sign-in."""
        self.guesses += 1
        place = replace(IMAP, client=f"10.{self.guesses // 250}.0.{self.guesses % 250}")
        before = len(self.journal.named("sign_in_failed"))
        try:
            self.sign_in(password=password, place=place, scram=scram)
        except self.failureException:
            [failed] = self.journal.named("sign_in_failed")[before:]
            return failed.args[3]
        return ""

    def given(self, password, **how):
        """An administrator sets it; the reason when that is refused."""
        return self.tried(
            lambda: passwords.set_password(self.directory, self.passwords, "robin", password, who="test", **how)
        )

    def changed(self, password):
        """The user changes it; the reason when that is refused."""
        return self.tried(
            lambda: passwords.change_own_password(self.directory, self.passwords, "robin", password, now=self.time)
        )

    def tried(self, change):
        try:
            change()
        except Refused as refused:
            return str(refused)
        return ""

    def test_every_setting_has_a_meaning(self):
        """And is one of `site set`, tried below."""
        settings = {key for key in FIELDS if key.startswith("auth.")}
        self.assertEqual(
            settings,
            {f"auth.{name}" for name in ("scram", "max_failures", "reset_minutes", "lock_minutes", "min_length",
                                         "history", "min_age_minutes", "max_age_days", "no_trivial")},
        )  # fmt: skip
        for key in settings:
            self.assertGreater(len(FIELDS[key].metadata["meaning"]), 10)

    def test_max_failures(self):
        """So many wrong passwords lock, whatever the number; 0 never locks."""
        for most in (1, 3, 7):
            self.rule(max_failures=most)
            self.assertEqual(self.guess(most), ["wrong password"] * (most - 1) + ["the user is locked"])
            self.assertEqual(self.outcome(), "the user is locked")
            self.time += 31 * MINUTE
            self.assertEqual(self.outcome(), "")
        self.rule(max_failures=0)
        self.assertEqual(set(self.guess(12)), {"wrong password"})
        self.assertEqual(self.outcome(), "")

    def test_reset_minutes(self):
        """Quiet for so long, and the count begins anew; not a minute earlier."""
        self.rule(max_failures=3, reset_minutes=5)
        for pause, last in ((5 * MINUTE, "wrong password"), (5 * MINUTE - 1, "the user is locked")):
            self.guess(2)
            self.time += pause
            self.assertEqual(self.guess(1), [last])
            self.time += 31 * MINUTE
            self.assertEqual(self.outcome(), "")

    def test_lock_minutes(self):
        """A lock lasts so long; with 0 until an administrator ends it."""
        self.rule(max_failures=2, lock_minutes=2)
        self.guess(2)
        self.time += 2 * MINUTE - 1
        self.assertEqual(self.outcome(), "the user is locked")
        self.time += 1
        self.assertEqual(self.outcome(), "")
        self.rule(lock_minutes=0)
        self.guess(2)
        self.time += 400 * DAY
        for scram in (False, True):
            self.assertEqual(self.outcome(scram=scram), "the user is locked")
        passwords.unlock(self.directory, "robin", who="test")
        self.assertEqual(self.outcome(), "")

    def test_a_shorter_lock_holds_for_those_locked_already(self):
        """Who shortens the time lets in those who wait longer than that."""
        self.rule(max_failures=1, lock_minutes=60)
        self.guess(1)
        self.rule(lock_minutes=10)
        self.assertEqual(self.outcome(), "")

    def test_min_length(self):
        """Characters, not octets; for administrators and users."""
        self.rule(min_length=10)
        self.time += 2 * DAY
        for change in (self.given, self.changed):
            self.assertIn("at least 10", change("\u00fcber-1234".encode()))
        self.assertEqual(self.given("\u00fcber-12345".encode()), "")
        self.rule(min_length=1, no_trivial="off")
        self.assertEqual(self.given(b"x"), "")

    def test_history(self):
        """The last so many, the present one among them; 0 lets one come back at once."""
        self.rule(history=3)
        for number in range(4):
            self.assertEqual(self.given(b"tulips no %d" % number), "")
        self.assertEqual([bool(self.given(b"tulips no %d" % number)) for number in (3, 2, 1)], [True] * 3)
        self.time += 2 * DAY
        self.assertIn("one of the last 3", self.changed(b"tulips no 1"))
        self.assertEqual(self.given(b"tulips no 0"), "")
        self.rule(history=0)
        self.assertEqual(self.given(b"tulips no 0"), "")

    def test_min_age(self):
        """A user waits between two changes, so that nobody runs through the history; an administrator never does."""
        self.rule(min_age_minutes=60)
        self.assertIn("can be changed again at 1970-01-12T14:46:40Z", self.changed(b"lilies at 8"))
        self.assertEqual(self.given(b"lilies at 8"), "")
        self.time += 60 * MINUTE - 1
        self.assertIn("can be changed again", self.changed(b"orchids at 9"))
        self.time += 1
        self.assertEqual(self.changed(b"orchids at 9"), "")
        self.assertEqual(self.outcome(b"orchids at 9"), "")
        self.rule(min_age_minutes=0)
        self.assertEqual(self.changed(b"lilies at 10"), "")

    def test_max_age(self):
        """After so many days a password opens nothing but its own change; 0 never."""
        self.rule(max_age_days=30)
        self.time += 30 * DAY
        self.assertEqual(self.outcome(), "")
        self.time += 1
        for scram in (False, True):
            self.assertEqual(self.outcome(scram=scram), "the password has expired or must be changed")
        self.assertEqual(self.changed(b"lilies at 8"), "")
        self.assertEqual(self.outcome(b"lilies at 8"), "")
        self.rule(max_age_days=0)
        self.time += 4_000 * DAY
        self.assertEqual(self.outcome(b"lilies at 8"), "")

    def test_must_change(self):
        """What an administrator chose for one use opens nothing until the user chose another, and that at once."""
        self.assertEqual(self.given(b"lilies at 8", must_change=True), "")
        for scram in (False, True):
            self.assertEqual(self.outcome(b"lilies at 8", scram), "the password has expired or must be changed")
        self.assertEqual(self.changed(b"orchids at 9"), "")
        self.assertEqual(self.outcome(b"orchids at 9"), "")

    def test_no_trivial(self):
        """Names, numbers, runs and the usual words are refused; a site may allow them."""
        for trivial in (b"robin12345", b"qwertzuiop", b"password1"):
            self.assertIn("too easy to guess", self.given(trivial))
        self.rule(no_trivial="off")
        self.assertEqual(self.given(b"robin12345"), "")

    def test_a_locked_user_changes_nothing(self):
        """A change is no way round a lock; nor is there one without a first password."""
        self.rule(max_failures=1)
        self.guess(1)
        self.time += 25 * MINUTE
        self.rule(min_age_minutes=0)
        self.assertIn("is locked", self.changed(b"lilies at 8"))
        self.assertEqual(self.given(b"lilies at 8"), "")
        self.assertEqual(self.outcome(b"lilies at 8"), "")
        with self.database.changing() as connection:
            connection.exec_driver_sql("DELETE FROM credentials WHERE owner_id <> ''")
        self.assertIn("no password to be changed", self.changed(b"orchids at 9"))
