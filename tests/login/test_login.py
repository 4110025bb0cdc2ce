"""Signing in as every door sees it: who gets in, what a refusal tells, and what guessing costs."""

import gc
import time
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

from zope.interface.verify import verifyObject

from tests.fakes import HeldThreads
from tests.login.signing_in import IMAP, RIGHT, SMTP, LoginTestCase, OvertakenCredentials
from unitymail.directory.credentials import Credentials
from unitymail.interfaces.errors import TryAgain
from unitymail.interfaces.login import ILogin, SignInRefused
from unitymail.interfaces.metrics import Unmeasured
from unitymail.journal.journal import Journal
from unitymail.login import examiner
from unitymail.login.names import LONGEST
from unitymail.login.passwords import Passwords
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import User


class SigningInTests(LoginTestCase):
    def test_alias_and_addresses_in_any_case(self):
        """All names of a user open the door, at IMAP and at submission."""
        verifyObject(ILogin, self.login)
        for name in (b"robin", b"ROBIN", b" robin ", b"robin@vm1.example.com", b"Robin.Smith@Example.com"):
            self.assertEqual(self.sign_in(name).id, self.robin.id)
        self.assertEqual(self.sign_in(place=SMTP).id, self.robin.id)

    def test_the_journal_has_a_line_for_each(self):
        """Who came in by which door from where, and who did not and why."""
        self.sign_in()
        self.refused(password=b"roses")
        good, bad = *self.journal.named("signed_in"), *self.journal.named("sign_in_failed")
        self.assertEqual((good.args, good.mechanism, good.tls), (("imaps", "robin", "10.0.0.1"), "PLAIN", True))
        self.assertEqual(bad.args, ("imaps", "robin", "10.0.0.1", "wrong password"))
        in_clear = replace(SMTP, tls=False, mechanism="LOGIN")
        self.refused(place=in_clear, scram=True, password=b"roses")
        self.refused(place=in_clear, password=b"roses")
        told = [(event.mechanism, event.tls) for event in self.journal.named("sign_in_failed")[1:]]
        self.assertEqual(told, [("SCRAM-SHA-256", False), ("LOGIN", False)])
        self.assertNotIn("roses", repr(self.journal.events))

    def test_names_cannot_break_the_log(self):
        """Whatever a client calls itself, one line comes of it: control characters escaped, the length cut."""
        lines = []
        journal = Journal(lines=SimpleNamespace(add=lines.append), now=lambda: 0.0)
        login = self.another_process(journal=journal)
        forged = b"x\r\n2026 info signed-in user=robin"
        for name in (forged, b"x\0\x1b[2J", "x\u2028y\u202e".encode(), b"\xff" * 5, b"x" * 9_000):
            for scram in (False, True):
                try:
                    self.refused(name, login=login, scram=scram, place=replace(IMAP, client=f"10.5.0.{len(lines)}"))
                except self.failureException as grammar:  # NUL is no character of a SCRAM name
                    self.assertIn("BadScram", str(grammar))
        self.assertEqual(len(lines), 9)
        for line in lines:
            self.assertRegex(line, r"\A[!-~ \ufffd…]+\n\Z")
            self.assertLess(len(line), 800)

    def test_everything_is_counted(self):
        """By door, mechanism and outcome, for those who watch."""
        metrics = mock.Mock(spec=Unmeasured())
        login = self.another_process(metrics=metrics)
        self.sign_in(login=login)
        self.sign_in(login=login, scram=True, place=SMTP)
        self.refused(login=login, password=b"roses")
        with mock.patch.object(Credentials, "read", mock.Mock(side_effect=TryAgain(why="away"))):
            self.refused(login=login, place=SMTP)
        self.set_password(self.robin, RIGHT, must_change=True, scram=True)
        self.refused(login=login, scram=True)
        self.assertEqual(
            [call.args for call in metrics.signed_in.call_args_list],
            [("imaps", "PLAIN", "ok"), ("submission", "SCRAM-SHA-256", "ok"), ("imaps", "PLAIN", "bad-credentials"),
             ("submission", "PLAIN", "busy"), ("imaps", "SCRAM-SHA-256", "expired")],
        )  # fmt: skip

    def test_a_user_without_a_password_cannot_sign_in(self):
        """Not with an empty one either."""
        self.add(User("", "chris", ""))
        self.book.refresh()
        for password in (b"", b"x"):
            self.assertEqual(self.refused(b"chris", password)[0], "bad-credentials")

    def test_a_user_of_another_node_signs_in_there(self):
        """Here the name is as good as unknown; the journal says where."""
        peer = self.add(
            Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", fingerprint="ab" * 32)
        )
        self.replace(replace(self.robin, home=peer.id))
        kind, why = self.refused()
        self.assertEqual(kind, "bad-credentials")
        self.assertIn("another node", why)

    def test_garbage_is_a_wrong_name(self):
        """Octets that are no text are refused like any other name."""
        for name in (b"\xff\xfe", b"\0", b"", b"a" * 10_000, b"robin\r\nx"):
            self.assertEqual(self.refused(name)[0], "bad-credentials")

    def test_no_name_holds_up_the_others(self):
        """A LOGIN of IMAP brings up to 128 KiB: what takes long to prepare is not prepared, whichever way it comes."""
        gc.disable()  # what the tests before have left is not the name's to pay for
        self.addCleanup(gc.enable)
        for number, text in enumerate(("\u0300\u0316" * 32_000, "\ufdfa" * 43_000, "\uac00\u11a8" * 21_000)):
            for scram in (False, True):
                began = time.thread_time()
                self.refused(text.encode(), scram=scram, place=replace(IMAP, client=f"10.6.{number}.1"))
                self.assertLess(time.thread_time() - began, 0.1)

    def test_a_long_name_is_nobodys(self):
        """Not even the one that is left where octets without a meaning are taken out of it."""
        longest = b"Robin.Smith@Example.com" + "\u00ad".encode() * (LONGEST - 23)
        self.assertEqual(self.sign_in(longest).id, self.robin.id)
        self.assertEqual(self.refused(longest + "\u00ad".encode())[1], "no such user")


class WhatARefusalTellsTests(LoginTestCase):
    def lock(self):
        self.set_site(auth__max_failures="2")
        for _ in range(2):
            self.refused(password=b"roses")

    def test_unknown_wrong_and_locked_are_the_same(self):
        """Same words for each; the reason is in the journal only."""
        wrong, unknown = self.refused(password=b"roses"), self.refused(b"nobody")
        self.lock()
        locked = self.refused()
        self.assertEqual({kind for kind, _ in (wrong, unknown, locked)}, {"bad-credentials"})
        self.assertEqual(
            [why for _, why in (wrong, unknown, locked)], ["wrong password", "no such user", "the user is locked"]
        )

    def test_they_do_the_same_work(self):
        """One hash, the same reads and writes: nothing to tell them apart by a watch."""
        work = []
        self.lock()
        chris = self.add(User("", "chris", ""))
        self.set_password(chris, RIGHT)
        self.book.refresh()
        for name, password in ((b"chris", b"roses"), (b"nobody", b"roses"), (b"robin", b"roses"), (b"robin", RIGHT)):
            self.credentials.calls.clear()
            self.passwords.checked = 0
            self.refused(name, password)
            work.append((self.passwords.checked, self.credentials.calls.copy()))
        self.assertEqual(work, [(1, ["read", "write"])] * 4)

    def test_an_expired_password_is_told_to_its_owner_only(self):
        """The right one is told; a wrong one is just wrong."""
        self.set_site(auth__max_age_days="30")
        self.sign_in()
        self.time += 31 * 86_400
        self.assertEqual(self.refused()[0], "expired")
        self.assertEqual(self.refused(password=b"roses")[0], "bad-credentials")

    def test_a_password_to_be_changed_is_as_good_as_expired(self):
        """It is for changing the password only."""
        self.set_password(self.robin, RIGHT, must_change=True)
        self.assertEqual(self.refused()[0], "expired")

    def test_imap_barred_is_told_to_its_owner_only(self):
        """And submission still works."""
        self.replace(replace(self.robin, cos=self.add(ClassOfService("", "No IMAP")).id))
        self.assertEqual(self.refused()[0], "not-allowed")
        self.assertEqual(self.refused(password=b"roses")[0], "bad-credentials")
        self.assertEqual(self.sign_in(place=SMTP).id, self.robin.id)

    def test_who_needs_tls_is_told_and_is_not_in(self):
        """The class shows secure messages: in the clear the right password is no sign-in, for the journal neither."""
        self.replace(replace(self.robin, cos=self.add(ClassOfService("", "S", access_imap=True, secure_imap=True)).id))
        in_clear = replace(IMAP, tls=False, client="127.0.0.1")
        for scram in (False, True):
            self.assertEqual(self.refused(place=in_clear, scram=scram)[0], "needs-tls")
            self.assertEqual(self.refused(password=b"roses", place=in_clear, scram=scram)[0], "bad-credentials")
        self.assertEqual(self.journal.named("signed_in"), [])
        self.sign_in()

    def test_a_directory_that_is_away_is_no_wrong_password(self):
        """The client is told to try again, nothing is counted, the journal has the cause."""
        self.credentials.read = lambda owner: (_ for _ in ()).throw(TryAgain(why="database is locked"))
        self.assertEqual(self.refused()[0], "busy")
        self.assertEqual(len(self.journal.named("trouble")), 1)


class LockingTests(LoginTestCase):
    def guess(self, times, login=None, password=b"roses"):
        return [self.refused(password=password, login=login)[1] for _ in range(times)]

    def test_seven_wrong_passwords_lock_for_half_an_hour(self):
        """The right one does not open it before; the next half hour it does."""
        self.assertEqual(self.guess(7)[:6], ["wrong password"] * 6)
        self.assertEqual(self.refused(), ("bad-credentials", "the user is locked"))
        self.time += 30 * 60 + 1
        self.sign_in()

    def test_a_lock_binds_all_processes_and_survives_a_restart(self):
        """Guesses at three processes add up, and a process that starts later knows the lock."""
        processes = [self.another_process() for _ in range(3)]
        for number in range(7):
            self.guess(1, login=processes[number % 3])
        later = self.another_process()
        self.assertEqual(self.refused(login=later)[1], "the user is locked")

    def test_a_lock_made_while_the_right_one_is_looked_at(self):
        """Guesses at many processes at once are none too many: behind the hash the lock is asked for again."""
        self.set_site(auth__max_failures="3")
        for scram, look in ((False, 2), (True, 3)):  # one is prepare()'s, one the challenge's
            overtaken = OvertakenCredentials(self.database, look, lambda: self.guess(3))
            late = self.another_process(overtaken)
            self.assertEqual(self.refused(login=late, scram=scram), ("bad-credentials", "the user is locked"))
            self.time += 31 * 60

    def test_unlocking_and_a_new_password_open_it(self):
        """`user unlock` and `user passwd` take effect at once."""
        self.guess(7)
        with self.directory.change("tester") as change:
            change.unlock(self.robin.id)
        self.sign_in()
        self.guess(7)
        self.set_password(self.robin, b"roses at dusk")
        self.sign_in(password=b"roses at dusk")

    def test_a_success_clears_the_count(self):
        """Six errors and a success, again and again, never lock."""
        for _ in range(3):
            self.guess(6)
            self.sign_in()

    def test_a_remembered_success_clears_the_count_too(self):
        """Guesses at another process are forgotten once the owner signs in here, hash or no hash."""
        self.sign_in()
        self.guess(6, login=self.another_process())
        self.sign_in()
        self.assertEqual(self.credentials.read(self.robin.id).attempts.failures, 0)

    def test_names_that_do_not_exist_lock_nothing(self):
        """A thousand guesses at nobody keep nobody out."""
        self.set_site(auth__max_failures="2")
        for _ in range(6):
            self.assertEqual(self.refused(b"nobody")[1], "no such user")
        self.sign_in()


class CacheTests(LoginTestCase):
    def test_ten_connections_cost_one_hash(self):
        """Outlook opens many connections at once: one hashes, the others follow."""
        threads = HeldThreads()
        login = self.another_process(password_threads=threads)
        opened = [self.start(login=login) for _ in range(10)]
        threads.go()
        self.assertEqual({self.successResultOf(d).alias for d in opened}, {"robin"})
        self.assertEqual(self.passwords.checked, 1)

    def test_a_remembered_sign_in_costs_one_read(self):
        """Neither hash nor write."""
        self.sign_in()
        self.credentials.calls.clear()
        self.passwords.checked = 0
        self.sign_in()
        self.assertEqual((self.passwords.checked, self.credentials.calls), (0, ["read"]))

    def test_after_a_minute_it_hashes_again(self):
        """The memory is short."""
        self.sign_in()
        self.time += 61
        self.sign_in()
        self.assertEqual(self.passwords.checked, 2)

    def test_a_changed_password_works_at_once_and_the_old_one_never(self):
        """Even within the minute, and without waiting for the address book."""
        self.sign_in()
        self.set_password(self.robin, b"roses at dusk")
        self.assertEqual(self.refused()[0], "bad-credentials")
        self.sign_in(password=b"roses at dusk")

    def test_a_lock_and_an_expiry_hold_for_the_remembered_too(self):
        """Nobody stays in by having been in."""
        self.sign_in()
        for _ in range(7):
            self.refused(password=b"roses")
        self.assertEqual(self.refused()[1], "the user is locked")
        with self.directory.change("tester") as change:
            change.unlock(self.robin.id)
        self.sign_in()
        self.set_site(auth__max_age_days="1")
        self.time += 59
        with self.database.changing() as connection:
            connection.exec_driver_sql("UPDATE credentials SET changed_at = 0")
        self.assertEqual(self.refused()[0], "expired")

    def test_a_deleted_user_is_out(self):
        """Also one who signed in a moment ago."""
        self.sign_in()
        with self.directory.change("tester") as change:
            change.delete(User, self.robin.id)
        self.assertEqual(self.refused()[0], "bad-credentials")


class GuessingTests(LoginTestCase):
    def test_a_guesser_waits_before_each_password(self):
        """From the fifth guess on nothing is even hashed before the delay is over."""
        for _ in range(4):
            self.refused(b"nobody")
        self.passwords.checked = 0
        waiting = self.start(b"nobody")
        self.assertEqual(self.passwords.checked, 0)
        self.clock.advance(0.3)
        self.failureResultOf(waiting, SignInRefused)
        self.assertEqual(self.passwords.checked, 1)

    def test_a_success_takes_one_failure_back(self):
        """Whoever else is at that address waits a little less; not a count from nothing."""
        for _ in range(4):
            self.refused(b"nobody")
        self.sign_in()
        self.failureResultOf(self.start(b"nobody"), SignInRefused)
        self.assertNoResult(self.start(b"nobody"))

    def test_other_addresses_do_not_wait(self):
        """The delay is the guesser's alone."""
        for _ in range(9):
            self.refused(b"nobody")
        elsewhere = replace(IMAP, client="10.9.9.9")
        self.assertEqual(self.successResultOf(self.start(place=elsewhere)).id, self.robin.id)

    def test_one_address_cannot_fill_the_waiting_room(self):
        """Eight attempts of it may wait; the next is told to try again, and others come in."""
        for _ in range(9):
            self.refused(b"nobody")
        waiting = [self.start(b"nobody") for _ in range(examiner.MOST_DELAYED_PER_NETWORK)]
        self.assertEqual(self.failureResultOf(self.start(b"nobody"), SignInRefused).value.kind, "busy")
        self.clock.pump([1] * 60)
        for one in waiting:
            self.failureResultOf(one, SignInRefused)

    def test_nor_can_one_that_does_not_wait_for_the_answer(self):
        """Who hangs up gives a connection back, and an attempt waits on: so many for one network, a /64 being one."""
        login = self.another_process(password_threads=HeldThreads())
        most = examiner.MOST_WAITING_PER_NETWORK
        opened = [
            self.start(b"n%d" % n, login=login, place=replace(IMAP, client=f"2001:db8::{n:x}")) for n in range(most + 3)
        ]
        for one in opened[most:]:
            refusal = self.failureResultOf(one, SignInRefused).value
            self.assertEqual((refusal.kind, refusal.why), ("busy", examiner.CROWD))
        self.assertNoResult(self.start(b"nobody", login=login, place=replace(IMAP, client="2001:db8:0:1::1")))

    def test_a_network_waits_as_one(self):
        """Other addresses of the same /64 find no room of their own."""
        there = [replace(IMAP, client=f"2001:db8::{number:x}") for number in range(20)]
        for place in there[:9]:
            self.refused(b"nobody", place=place)
        waiting = [self.start(b"nobody", place=place) for place in there[: examiner.MOST_DELAYED_PER_NETWORK]]
        self.assertEqual(self.refused(b"nobody", place=there[19]), ("busy", examiner.CROWD))
        for one in waiting:
            self.failureResultOf(one, SignInRefused)

    def test_a_disk_that_counts_nothing_more(self):
        """Where no wrong password can be counted, guessing gets slower all the same."""
        with mock.patch.object(self.credentials, "conclude", mock.Mock(side_effect=TryAgain(why="disk full"))):
            for _ in range(4):
                self.assertEqual(self.refused(password=b"roses")[0], "busy")
            self.passwords.checked = 0
            waiting = self.start(password=b"roses")
            self.assertEqual(self.passwords.checked, 0)
            self.clock.advance(0.3)
            self.failureResultOf(waiting, SignInRefused)

    def test_two_names_of_nobody_wait_for_each_other(self):
        """As two of a user do: an alias and its address side by side tell no watch whether there is such a user."""
        threads = HeldThreads()
        login = self.another_process(password_threads=threads)
        for alias in (b"robin", b"nobody"):
            first = self.start(alias, b"roses", login=login)
            second = self.start(alias.upper() + b"@vm1.example.com", b"roses", login=login)
            self.assertEqual(len(threads.waiting), 1)
            threads.go()
            for one in (first, second):
                self.failureResultOf(one, SignInRefused)

    def test_more_than_can_be_hashed_in_time_is_told_to_come_back(self):
        """The queue is bounded, and being turned away counts as no wrong password."""
        threads = HeldThreads()
        login = self.another_process(password_threads=threads)
        places = [replace(IMAP, client=f"10.1.{n // 200}.{n % 200}") for n in range(examiner.MOST_WAITING + 5)]
        opened = [self.start(b"n%d" % n, login=login, place=place) for n, place in enumerate(places)]
        busy = opened[examiner.MOST_WAITING :]
        self.assertEqual({self.failureResultOf(d, SignInRefused).value.kind for d in busy}, {"busy"})
        for one in opened[: examiner.MOST_WAITING]:
            one.cancel()
            self.failureResultOf(one)

    def test_unknown_and_wrong_take_the_same_time(self):
        """With the real hash: the two medians differ by less than a third."""
        passwords = Passwords()
        self.set_password(self.robin, RIGHT)
        with self.directory.change("tester") as change:
            change.set_password(self.robin.id, passwords.secret(RIGHT, scram=False))
            change.set_site([("auth.max_failures", "0")])
        with self.database.changing() as connection:
            connection.exec_driver_sql("DELETE FROM credentials WHERE owner_id = ''")
        self.book.refresh()
        login = self.another_process(passwords=passwords)
        took = {b"robin": [], b"nobody": []}
        for number in range(9):
            for name in took:
                began = time.thread_time()
                self.refused(name, b"roses", replace(IMAP, client=f"10.0.1.{number}"), login)
                took[name].append(time.thread_time() - began)
        wrong, unknown = sorted(took[b"robin"])[4], sorted(took[b"nobody"])[4]
        self.assertLess(abs(wrong - unknown), max(wrong, unknown) / 3)
