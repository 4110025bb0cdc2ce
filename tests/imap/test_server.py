"""Connections: order, limits, time, TLS, and a reason before every end."""

from dataclasses import replace
from errno import EIO

from twisted.mail.imap4 import IMAP4Server
from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import ROBIN, HeldThreads
from tests.imap.conversation import MESSAGE, House
from tests.imap.memory_store import MemoryContent
from unitymail.imap.inlet import HIGH_WATER
from unitymail.imap.registry import Done, Registry, command, discover
from unitymail.smtp.turns import Turns


class Commands:
    """A module that a registry can look into."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)


def registry_with(*coroutines):
    found = discover()
    found.commands.update(Registry([Commands(**{c.__name__: c for c in coroutines})]).commands)
    return found


class OrderTests(SynchronousTestCase):
    def test_it_is_an_imap4server(self):
        """The session is Twisted's IMAP4Server to whoever asks."""
        client = House().connect()
        self.assertIsInstance(client.protocol, IMAP4Server)
        self.assertEqual(client.protocol.state, "unauth")
        self.assertTrue(client.wire.no_delay)
        self.assertIn(b"IMAP4rev1", client.protocol.listCapabilities())

    def test_pipelined_commands_are_answered_in_order(self):
        """SELECT, FETCH and NOOP in one packet are answered one after the other, however long each takes."""
        threads = HeldThreads()
        house = House(threads=threads)
        house.inbox.put(MESSAGE)
        client = house.connect()
        client.send("a LOGIN robin secret\r\nb SELECT INBOX\r\nc UID FETCH 1 (UID)\r\nd NOOP\r\n")
        self.assertEqual(client.heard(), "")
        heard = ""
        while threads.waiting:
            threads.step()
            heard += client.heard()
        tags = [line[:4] for line in heard.split("\r\n") if line[:1] in "abcd" and line]
        self.assertEqual(tags, ["a OK", "b OK", "c OK", "d OK"])

    def test_a_busy_session_reads_no_further(self):
        """While a command runs the client's octets are bounded; afterwards all its commands are answered."""
        threads = HeldThreads()
        house = House(threads=threads)
        client = house.connect()
        client.send("a LOGIN robin secret\r\n")
        client.send("n NOOP\r\n" * 9000)
        self.assertEqual(client.wire.producerState, "paused")
        threads.step()
        self.assertEqual(client.wire.producerState, "producing")
        self.assertEqual(client.heard().count("n OK"), 9000)

    def test_a_client_that_does_not_read_gets_nothing_more(self):
        """With the way out full the next command waits; after two minutes without progress the line is cut."""
        house = House()
        client = house.signed_in()
        client.wire.producer.pauseProducing()
        self.assertEqual(client.say("a NOOP"), [])
        client.wire.producer.resumeProducing()
        self.assertEqual(client.heard(), "a OK NOOP completed\r\n")
        client.wire.producer.pauseProducing()
        house.clock.advance(121)
        self.assertTrue(client.wire.aborted)
        client.leave()
        self.assertEqual(house.journal.named("disconnected")[0].args[3], "the client stopped reading")

    def test_an_error_nobody_expected(self):
        """A bug in a command is told as SERVERBUG and to the journal; the connection goes on."""

        @command("EXPLODE")
        async def explode(session, reader):
            raise ZeroDivisionError("boom")

        house = House(registry=registry_with(explode))
        client = house.signed_in()
        [line] = client.say("a EXPLODE")
        self.assertTrue(line.startswith("a NO [SERVERBUG] "))
        self.assertNotIn("boom", line)
        self.assertEqual(len(house.journal.named("trouble")), 1)
        self.assertEqual(client.say("b NOOP"), ["b OK NOOP completed"])

    def test_a_disk_that_fails_after_the_command(self):
        """When looking for news fails, the command is answered nevertheless."""
        house = House()
        client = house.selected()
        house.inbox.refresh = lambda: 1 / 0
        self.assertEqual(client.say("a NOOP"), ["a OK NOOP completed"])
        self.assertEqual(len(house.journal.named("trouble")), 1)

    def test_a_command_that_outlives_its_client(self):
        """When the client leaves in the middle, the command ends quietly and leaves nothing behind."""
        threads = HeldThreads()
        house = House(threads=threads)
        client = house.connect()
        client.send("a LOGIN robin secret\r\n")
        client.leave()
        threads.step()
        self.assertEqual(house.ledger.held("imap"), 0)
        self.assertEqual(house.ledger.held("imap-user", ROBIN.id), 0)
        self.assertEqual(house.clock.getDelayedCalls(), [])
        self.assertEqual(house.journal.named("trouble"), [])


class LimitTests(SynchronousTestCase):
    def test_wrong_commands(self):
        """Ten wrong commands in a row end the connection, with BYE; a right one in between starts anew."""
        client = House().connect()
        for _ in range(9):
            client.say("x BOGUS")
        client.say("x NOOP")
        for _ in range(9):
            client.say("")
        self.assertFalse(client.closed)
        answer = client.say("x BOGUS")
        self.assertEqual(answer, ["x BAD There is no command BOGUS", "* BYE Too many wrong commands"])

    def test_the_wrong_place(self):
        """Commands out of place are BAD, and say where they belong."""
        client = House().connect()
        self.assertEqual(client.say("a SELECT INBOX"), ["a BAD SELECT cannot be used before signing in"])
        self.assertEqual(client.say("a UID NOOP"), ["a BAD There is no command UID NOOP"])
        client.say("b LOGIN robin secret")
        self.assertEqual(client.say("c LOGIN robin secret"), ["c BAD LOGIN cannot be used after signing in"])
        self.assertEqual(client.say("c CLOSE"), ["c BAD CLOSE cannot be used with no mailbox selected"])

    def test_line_without_end(self):
        """100 MB without a line end: one clear BAD, then BYE; the rest is thrown away unread."""
        house = House()
        client = house.connect()
        for _ in range(1600):
            client.send(b"x" * 65_536)
        heard = client.heard().split("\r\n")
        self.assertTrue(heard[0].startswith("* BAD [TOOBIG]"), heard)
        self.assertTrue(heard[2].startswith("* BYE [TOOBIG]"), heard)
        house.clock.advance(5)
        self.assertTrue(client.closed)

    def test_four_gigabytes(self):
        """A literal of 4 GB is refused at once, whether the client waits for leave or not."""
        house = House()
        client = house.signed_in()
        self.assertEqual(
            client.say("a SUBSCRIBE {4294967296}"), ["a BAD [TOOBIG] Literals of one command may have 131072 octets"]
        )
        answer = client.say("b APPEND INBOX {4294967295}")
        self.assertEqual(answer, ["b NO [TOOBIG] A message may have 10240000 octets"])
        self.assertEqual(client.say("c NOOP"), ["c OK NOOP completed"])
        answer = client.say("d APPEND INBOX {4294967295+}")
        self.assertEqual(answer[0], "d NO [TOOBIG] A message may have 10240000 octets")
        self.assertTrue(answer[1].startswith("* BYE [TOOBIG]"))
        client.send(b"x" * 100_000)
        self.assertEqual(client.heard(), "")

    def test_deep_nesting(self):
        """10,000 nested parentheses are BAD, and the session goes on."""
        house = House()
        client = house.selected()
        self.assertTrue(client.say("a SEARCH " + "(" * 10_000 + ")" * 10_000)[0].startswith("a BAD "))
        self.assertTrue(client.say("b STATUS INBOX " + "(" * 10_000)[0].startswith("b BAD "))
        self.assertEqual(client.say("c NOOP"), ["c OK NOOP completed"])


class TimeTests(SynchronousTestCase):
    def test_before_signing_in(self):
        """A minute without a command before signing in, and the door says BYE; single octets do not count."""
        house = House()
        client = house.connect()
        house.clock.advance(40)
        client.say("a NOOP")
        house.clock.advance(40)
        client.send("b")
        house.clock.advance(21)
        self.assertEqual(client.heard(), "* BYE Autologout; idle for too long\r\n")
        self.assertTrue(client.closed)

    def test_after_signing_in(self):
        """Half an hour of silence afterwards."""
        house = House()
        client = house.signed_in()
        house.clock.advance(1799)
        self.assertFalse(client.closed)
        house.clock.advance(2)
        self.assertEqual(client.heard(), "* BYE Autologout; idle for too long\r\n")

    def test_a_slow_command_is_no_idleness(self):
        """While the node works for the client, the client cannot be idle."""
        house = House(threads=HeldThreads())
        client = house.connect()
        client.send("a LOGIN robin secret\r\n")
        house.clock.advance(61)
        house.clock.advance(61)
        self.assertFalse(client.closed)

    def test_logout(self):
        """LOGOUT says BYE, then OK, then closes; whoever does not hang up is cut off in the end."""
        house = House()
        client = house.connect()
        self.assertEqual(client.say("a LOGOUT"), ["* BYE Until next time", "a OK LOGOUT completed"])
        self.assertTrue(client.closed)
        self.assertIsNone(client.wire.producer)
        house.clock.advance(60)
        self.assertTrue(client.wire.aborted)

    def test_after_logout_nothing_is_heard(self):
        """Commands after LOGOUT are not run."""
        client = House().connect()
        client.send("a LOGOUT\r\nb CAPABILITY\r\n")
        self.assertNotIn("CAPABILITY", client.heard())


class NewsTests(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        for _ in range(3):
            self.house.inbox.put(MESSAGE)
        self.client = self.house.selected()
        self.inbox = self.house.inbox

    def expunge(self, *uids):
        self.inbox.store(uids, "add", ["\\Deleted"])
        self.inbox.expunge(uids)

    def test_noop_tells(self):
        """NOOP looks and tells: highest EXPUNGE first, then what came, then flags."""
        self.expunge(1, 3)
        self.inbox.store([2], "add", ["\\Flagged"])
        self.inbox.arrive(MESSAGE)
        self.assertEqual(
            self.client.say("a NOOP"),
            ["* 3 EXPUNGE", "* 1 EXPUNGE", "* 2 EXISTS", "* 2 RECENT", "* 1 FETCH (FLAGS (\\Recent \\Flagged))",
             "a OK NOOP completed"],
        )

    def test_expunges_wait_during_fetch(self):
        """FETCH by sequence number never moves the numbers; the next command that may, does."""
        self.expunge(2)
        answer = self.client.say("a FETCH 3 (UID)")
        self.assertEqual(answer, ["* 3 FETCH (UID 3)", "a OK FETCH completed"])
        self.assertEqual(self.client.say("b UID FETCH 3 (UID)")[-2:], ["* 2 EXPUNGE", "b OK FETCH completed"])
        self.assertEqual(self.client.say("c FETCH 2 (UID)")[0], "* 2 FETCH (UID 3)")

    def test_new_mail_shows_while_expunges_wait(self):
        """A message that came is told although one that went is not."""
        self.expunge(1)
        self.inbox.put(MESSAGE)
        self.assertEqual(self.client.say("a SEARCH UID 3")[-3:-1], ["* 4 EXISTS", "* 4 RECENT"])
        self.assertEqual(self.client.say("b NOOP"), ["* 1 EXPUNGE", "b OK NOOP completed"])

    def test_recent_goes_to_one_session(self):
        """Each message is \\Recent for one session; EXAMINE looks without taking."""
        watcher = self.house.selected("INBOX", "EXAMINE")
        self.inbox.put(MESSAGE)
        self.assertEqual(watcher.say("a NOOP"), ["* 4 EXISTS", "* 1 RECENT", "a OK NOOP completed"])
        self.assertEqual(self.client.say("a NOOP"), ["* 4 EXISTS", "* 4 RECENT", "a OK NOOP completed"])
        self.assertIn("* 0 RECENT", self.house.signed_in().say("x SELECT INBOX"))

    def test_the_folder_is_made_anew(self):
        """When UIDs lose their meaning, the client is sent away rather than misled."""
        self.inbox._uidvalidity += 1
        self.inbox.put(MESSAGE)
        self.assertEqual(
            self.client.say("a NOOP"),
            ["a OK NOOP completed", "* BYE The mailbox was made anew; please select it again"],
        )

    def test_the_folder_is_deleted(self):
        """When somebody else deletes the selected folder, the client learns it."""
        self.in_deleted_folder()
        self.assertEqual(
            self.client.say("c NOOP"), ["c OK NOOP completed", "* BYE The selected mailbox was deleted"]
        )

    def in_deleted_folder(self):
        self.client.say("a CREATE Work")
        self.client.say("b SELECT Work")
        self.house.account.delete("Work")

    def test_nothing_is_done_in_a_deleted_folder(self):
        """Whoever goes on working in it is shown out, rather than told that the target of a COPY is missing."""
        for line in ("UID COPY 1 INBOX", "UID STORE 1 FLAGS ()", "UID FETCH 1 FLAGS", "SEARCH ALL", "EXPUNGE"):
            self.setUp()
            self.in_deleted_folder()
            self.assertEqual(self.client.say(f"c {line}"), ["* BYE The selected mailbox was deleted"])

    def test_what_is_done_elsewhere_is_answered(self):
        """An APPEND that was done says so before the client is shown out: else it would be done again."""
        self.in_deleted_folder()
        answered, bye = self.client.say("c APPEND INBOX {1+}\r\nx")
        self.assertTrue(answered.startswith("c OK [APPENDUID "))
        self.assertEqual(bye, "* BYE The selected mailbox was deleted")

    def test_a_deleted_folder_can_be_left(self):
        """CLOSE and UNSELECT need nothing of it."""
        for verb in ("CLOSE", "UNSELECT"):
            self.setUp()
            self.in_deleted_folder()
            self.assertEqual(self.client.say(f"c {verb}"), [f"c OK {verb} completed"])
            self.assertEqual(self.client.say("d NOOP"), ["d OK NOOP completed"])

    def test_look_no_oftener_than_needed(self):
        """Between two commands of the same second the disk is not asked again; NOOP always asks."""
        self.inbox.calls.clear()
        for _ in range(5):
            self.client.say("a UID FETCH 1 (FLAGS)")
        self.assertNotIn("refresh", self.inbox.calls)
        self.client.say("a NOOP")
        self.assertEqual(self.inbox.calls.count("refresh"), 1)
        self.house.clock.advance(1)
        self.client.say("a UID FETCH 1 (FLAGS)")
        self.assertEqual(self.inbox.calls.count("refresh"), 2)

    def test_new_keywords_are_announced(self):
        """A keyword first used by somebody else is a flag of the folder from now on."""
        self.inbox.store([1], "add", ["work"])
        answer = self.client.say("a NOOP")
        self.assertIn("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)", answer)


class HiddenTests(SynchronousTestCase):
    def test_hidden_capabilities(self):
        """What a user's client breaks on is not offered once we know the user."""
        robin = replace(ROBIN, hidden_capabilities=("idle", "MOVE"))
        client = House(users=(robin,)).connect()
        self.assertIn(" IDLE ", client.greeting)
        [line] = client.say("a LOGIN robin secret")
        self.assertNotIn(" IDLE ", line)
        self.assertNotIn(" MOVE ", line)
        self.assertIn(" ENABLE ", line)
        self.assertNotIn(" IDLE ", client.say("b CAPABILITY")[0])


class CoroutineTests(SynchronousTestCase):
    def test_breathe(self):
        """A command that has used its time goes on in another reactor turn."""
        steps = []

        @command("LONG")
        async def long(session, reader):
            for step in range(3):
                steps.append(step)
                session.clock.rightNow += 0.004
                await session.breathe()
            return Done("LONG completed")

        house = House(registry=registry_with(long))
        client = house.signed_in()
        self.assertEqual(client.say("a LONG"), [])
        self.assertEqual(steps, [0, 1])
        house.clock.advance(0)
        self.assertEqual(client.heard(), "a OK LONG completed\r\n")

    def test_failing_behind_the_answer(self):
        """What fails once the command has its answer ends the connection with a word, instead of leaving it hanging."""

        @command("SHOW")
        async def show(session, reader):
            return Done("SHOW completed", after=lambda: 1 // 0)

        house = House(registry=registry_with(show))
        client = house.signed_in()
        self.assertEqual(client.say("a SHOW"), [
            "a OK SHOW completed",
            "* BYE [SERVERBUG] Something went wrong here; the administrator's log says what",
        ])
        self.assertEqual(len(house.journal.named("trouble")), 1)
        self.assertTrue(client.closed)

    def test_threads_that_come_back_at_once(self):
        """What many sessions have to say of results that arrive together is spread over turns."""

        @command("SHOW")
        async def show(session, reader):
            await session.run(len, b"")
            reactor.now += 0.002
            return Done("SHOW completed")

        reactor = BusyReactor()
        house = House(turns=Turns(reactor), registry=registry_with(show))
        clients = [house.signed_in() for _ in range(10)]
        for client in clients:
            client.session.threads = HeldThreads()
            client.send("a SHOW\r\n")
            while not client.session.threads.waiting:
                reactor.turn()
        for _ in range(4):
            reactor.turn()
        for client in clients:
            client.heard()
        for client in clients:
            client.session.threads.step()
        answered = [sum(client.heard() != "" for client in clients)]
        while sum(answered) < 10:
            reactor.turn()
            answered.append(sum(client.heard() != "" for client in clients))
        self.assertLessEqual(max(answered), 3)

    def test_stream(self):
        """Large contents go out in steps, as fast as the client reads; nothing is lost or doubled."""
        octets = bytes(range(256)) * 4000

        @command("SHOW")
        async def show(session, reader):
            await session.stream(MemoryContent(session.door.store, octets), 100, 600_000)
            return Done("SHOW completed")

        client = House(registry=registry_with(show)).signed_in()
        real = client.wire.write

        def write(data):
            real(data)
            if len(data) > 1000:
                client.wire.producer.pauseProducing()

        client.wire.write = write
        client.send("a SHOW\r\n")
        heard, steps = b"", 0
        while client.wire.value():
            self.assertLessEqual(len(client.wire.value()), 131_072 + 100)
            heard += client.wire.value()
            client.wire.clear()
            client.wire.producer.resumeProducing()
            steps += 1
        self.assertEqual(heard, octets[100:600_100] + b"a OK SHOW completed\r\n")
        self.assertEqual(steps, 6)

    def test_stream_from_a_bad_disk(self):
        """A message that cannot be read to its end cuts the connection: no word could stand inside its octets."""

        class Failing(MemoryContent):
            def read(self, offset, length):
                if offset >= 200_000:
                    raise OSError(EIO, "bad sector")
                return super().read(offset, length)

        @command("SHOW")
        async def show(session, reader):
            await session.stream(Failing(session.door.store, b"x" * 400_000), 0, 400_000)
            return Done("SHOW completed")

        house = House(registry=registry_with(show))
        client = house.signed_in()
        client.send("a SHOW\r\nb NOOP\r\n")
        self.assertEqual(set(client.heard()), {"x"})
        self.assertTrue(client.wire.aborted)
        self.assertEqual(len(house.journal.named("trouble")), 1)

    def test_leaving_in_the_middle_of_a_command(self):
        """Who leaves while a command runs gives the connection back at once; the command ends without a complaint."""
        house = House()
        house.inbox.put(MESSAGE)
        client = house.selected()
        threads = client.session.threads = HeldThreads()
        client.send("a FETCH 1 BODY[]\r\n")
        client.leave()
        self.assertEqual(house.ledger.held("imap"), 0)
        while threads.waiting:
            threads.step()
        self.assertEqual(house.journal.named("trouble"), [])
        self.assertIsNone(client.session.folder)
        self.assertIn("\\Seen", house.inbox.refresh().combinations[house.inbox.refresh().flags[0]])

    def test_stream_to_nobody(self):
        """A client that leaves in the middle of a large content frees everything at once."""
        ended = []

        @command("SHOW")
        async def show(session, reader):
            try:
                await session.stream(MemoryContent(session.door.store, b"x" * 1_000_000), 0, 1_000_000)
            finally:
                ended.append(True)

        client = House(registry=registry_with(show)).signed_in()
        real = client.wire.write
        client.wire.write = lambda data: (real(data), client.wire.producer.pauseProducing())
        client.send("a SHOW\r\n")
        self.assertEqual(ended, [])
        client.leave()
        self.assertEqual(ended, [True])


class BusyReactor:
    """Each look at its clock takes a fifth of a millisecond; `turn` makes the calls that are due."""

    def __init__(self):
        self.calls = []
        self.now = 2000.0

    def seconds(self):
        self.now += 0.0002
        return self.now

    def callLater(self, delay, function, *args):
        self.calls.append((function, args))

    def turn(self):
        due, self.calls = self.calls, []
        for function, args in due:
            function(*args)


def busy_house():
    """(house, reactor)"""
    reactor = BusyReactor()
    return House(turns=Turns(reactor)), reactor


class FloodTests(SynchronousTestCase):
    def test_many_commands_in_one_packet(self):
        """Thousands of pipelined commands are answered without holding the reactor for all of them."""
        house, reactor = busy_house()
        client = house.signed_in()
        client.send("n NOOP\r\n" * 500)
        answered = client.heard().count("n OK")
        for _ in range(1000):
            self.assertLess(answered, 500)
            reactor.turn()
            now = client.heard().count("n OK")
            self.assertLessEqual(now, 26)
            answered += now
            if answered == 500:
                break
        self.assertEqual(answered, 500)

    def test_a_flood_is_not_kept(self):
        """Who sends faster than we answer is read no further, and a turn does not grow with what has arrived."""
        house, reactor = busy_house()
        client = house.signed_in()
        for _ in range(HIGH_WATER // 8000 + 2):
            client.send("n NOOP\r\n" * 1000)
        self.assertEqual(client.wire.producerState, "paused")
        client.heard()
        reactor.turn()
        reactor.turn()
        self.assertLessEqual(client.heard().count("n OK"), 26)
        for _ in range(5000):
            reactor.turn()
        self.assertEqual(client.wire.producerState, "producing")

    def test_a_flood_by_many(self):
        """Many clients that send at once share a turn."""
        house, reactor = busy_house()
        clients = [house.signed_in() for _ in range(10)]
        for client in clients:
            client.send("n NOOP\r\n" * 50)
        self.assertLessEqual(sum(client.heard().count("n OK") for client in clients), 30)
        for _ in range(1000):
            reactor.turn()
        self.assertTrue(all(client.heard().count("n OK") > 30 for client in clients))

    def test_deferred_answers_do_not_recurse(self):
        """A thousand commands that finish at once do not deepen the stack."""
        house = House()
        client = house.signed_in()
        client.send("n CAPABILITY\r\n" * 1000)
        self.assertEqual(client.heard().count("n OK"), 1000)
