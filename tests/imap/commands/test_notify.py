"""NOTIFY (RFC 5465): which events are told, in which words, and when; the RFC's examples and what they leave open."""

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import HeldThreads
from tests.imap.conversation import MESSAGE, House
from unitymail.disk import Disk
from unitymail.imap.notify import notifier, surroundings
from unitymail.store import Store

ALL = "(MessageNew MessageExpunge FlagChange)"
DONE = "n OK NOTIFY completed"


class NotifyCase(SynchronousTestCase):
    def setUp(self):
        self.house = House()
        self.inbox = self.house.inbox

    def notified(self, what, *, select="", enable=""):
        """A client that has said `NOTIFY what`; what was answered is not of interest."""
        client = self.house.signed_in()
        if enable:
            client.say(f"e ENABLE {enable}")
        if select:
            client.say(f"s SELECT {select}")
        self.assertEqual(client.say(f"n NOTIFY {what}")[-1], DONE)
        return client

    def folder(self, name):
        folder = self.house.account.create(name)
        self.ring(name)
        return folder

    def ring(self, name):
        self.house.doorbell.ring("u-robin", name)

    def delivered(self, folder, octets=MESSAGE):
        folder.arrive(octets)
        self.ring(folder.name)


class SelectedTests(NotifyCase):
    def test_new_messages_at_any_time(self):
        """Without a command, EXISTS and then what the client wants to know of the messages that came."""
        client = self.notified("SET (selected (MessageNew (uid body.peek[header.fields (subject)]) MessageExpunge))",
                               select="INBOX")
        self.delivered(self.inbox)
        self.assertEqual(
            client.heard(),
            "* 1 EXISTS\r\n* 1 RECENT\r\n"
            "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (subject)] {18}\r\nSubject: Lunch\r\n\r\n)\r\n",
        )

    def test_flags_and_expunges(self):
        """What others do to messages is told with their UIDs, and EXPUNGE comes at once."""
        self.inbox.put(MESSAGE)
        client = self.notified(f"SET (SELECTED {ALL})", select="INBOX")
        self.inbox.store([1], "add", ["\\Deleted", "$Junk"])
        self.ring("INBOX")
        self.assertTrue(client.heard().endswith("* 1 FETCH (UID 1 FLAGS (\\Recent \\Deleted $Junk))\r\n"))
        self.inbox.expunge()
        self.ring("INBOX")
        self.assertEqual(client.heard(), "* 1 EXPUNGE\r\n")

    def test_vanished(self):
        """A client that enabled QRESYNC is told of UIDs, and of change numbers."""
        self.inbox.put(MESSAGE)
        client = self.notified(f"SET (selected {ALL})", select="INBOX", enable="QRESYNC")
        self.inbox.store([1], "add", ["\\Deleted"])
        self.ring("INBOX")
        self.assertEqual(client.heard(), "* 1 FETCH (UID 1 FLAGS (\\Recent \\Deleted) MODSEQ (3))\r\n")
        self.inbox.expunge()
        self.ring("INBOX")
        self.assertEqual(client.heard(), "* VANISHED 1\r\n")

    def test_delayed(self):
        """With selected-delayed EXPUNGE waits for a command that may tell it; the rest does not."""
        self.inbox.put(MESSAGE)
        self.inbox.put(MESSAGE)
        client = self.notified(f"SET (selected-delayed {ALL})", select="INBOX")
        self.inbox.store([1], "add", ["\\Deleted"])
        self.inbox.expunge()
        self.inbox.arrive(MESSAGE)
        self.ring("INBOX")
        self.assertEqual(client.heard(), "* 3 EXISTS\r\n* 3 RECENT\r\n")
        self.assertEqual(client.say("a FETCH 2 UID"), ["* 2 FETCH (UID 2)", "a OK FETCH completed"])
        self.assertEqual(client.say("b NOOP"), ["* 1 EXPUNGE", "b OK NOOP completed"])

    def test_delayed_and_idle(self):
        """IDLE is such a command."""
        self.inbox.put(MESSAGE, ["\\Deleted"])
        client = self.notified(f"SET (selected-delayed {ALL})", select="INBOX")
        client.say("a IDLE")
        self.inbox.expunge()
        self.ring("INBOX")
        self.assertEqual(client.heard(), "* 1 EXPUNGE\r\n")
        self.assertEqual(client.say("DONE"), ["a OK IDLE completed"])

    def test_flags_are_not_wanted(self):
        """Who did not ask for FlagChange hears of no flags, not even at NOOP; they are true when asked for."""
        self.inbox.put(MESSAGE)
        client = self.notified("SET (selected (MessageNew MessageExpunge))", select="INBOX")
        self.inbox.store([1], "add", ["\\Seen"])
        self.ring("INBOX")
        self.assertEqual(client.heard(), "")
        self.assertEqual(client.say("a NOOP"), ["a OK NOOP completed"])
        self.assertEqual(client.say("b FETCH 1 FLAGS")[0], "* 1 FETCH (FLAGS (\\Recent \\Seen))")

    def test_what_was_not_heard_is_told_when_wanted(self):
        """Who begins to want flags is told of those that changed while it did not, and of new and expunged messages."""
        self.inbox.put(MESSAGE)
        self.inbox.put(MESSAGE)
        client = self.notified("NONE", select="INBOX")
        self.inbox.store([1], "add", ["\\Seen"])
        self.inbox.store([2], "add", ["\\Deleted"])
        self.inbox.expunge()
        self.delivered(self.inbox)
        self.assertEqual(client.say("a NOOP"), ["a OK NOOP completed"])
        heard = client.say(f"n NOTIFY SET (selected {ALL})")
        self.assertEqual(heard, ["* 1 FETCH (UID 1 FLAGS (\\Recent \\Seen))", "* 2 EXPUNGE", "* 2 EXISTS", "* 2 RECENT",
                                 DONE])
        self.assertEqual(client.say("b NOOP"), ["b OK NOOP completed"])

    def test_none_is_a_snapshot(self):
        """NOTIFY NONE, or SET without the selected mailbox: no message comes or leaves; flags can be asked for."""
        for what in ("NONE", f"SET (mailboxes Sent {ALL})", "SET (selected NONE)"):
            self.house = House()
            self.inbox = self.house.inbox
            self.inbox.put(MESSAGE)
            self.inbox.put(MESSAGE)
            client = self.notified(what, select="INBOX")
            self.inbox.store([1], "add", ["\\Deleted"])
            self.inbox.store([2], "add", ["\\Seen"])
            self.inbox.expunge()
            self.delivered(self.inbox)
            self.assertEqual(client.heard(), "", what)
            self.assertEqual(client.say("a NOOP"), ["a OK NOOP completed"])
            self.assertEqual(client.say("b FETCH 1:* (UID FLAGS)")[1], "* 2 FETCH (FLAGS (\\Recent \\Seen) UID 2)")

    def test_own_expunge(self):
        """What the client's own EXPUNGE did is told even when it wants to hear of nothing."""
        self.inbox.put(MESSAGE, ["\\Deleted"])
        client = self.notified("NONE", select="INBOX")
        self.assertEqual(client.say("a EXPUNGE"), ["* 1 EXPUNGE", "a OK EXPUNGE completed"])

    def test_own_store(self):
        """And so it is of its own STORE."""
        self.inbox.put(MESSAGE)
        client = self.notified("NONE", select="INBOX")
        self.assertEqual(client.say("a STORE 1 +FLAGS (\\Seen)")[0], "* 1 FETCH (FLAGS (\\Recent \\Seen))")

    def test_own_append(self):
        """A message that the client itself put there is not fetched for it; one that came meanwhile is."""
        client = self.notified("SET (selected (MessageNew (UID) MessageExpunge))", select="INBOX")
        self.inbox.arrive(MESSAGE)
        heard = client.say(b"a APPEND INBOX {%d+}\r\n%b" % (len(MESSAGE), MESSAGE))
        self.assertEqual([line for line in heard if "FETCH" in line], ["* 2 FETCH (UID 2)"])
        self.assertIn("* 2 EXISTS", heard)

    def test_another_folder(self):
        """It is the folder selected at the time, whichever that is."""
        work = self.folder("Work")
        client = self.notified(f"SET (selected {ALL})", select="INBOX")
        client.say("a SELECT Work")
        self.delivered(self.inbox)
        self.assertEqual(client.heard(), "")
        self.delivered(work)
        self.assertEqual(client.heard(), "* 1 EXISTS\r\n* 1 RECENT\r\n")
        client.say("b UNSELECT")
        self.delivered(work)
        self.assertEqual(client.heard(), "")
        self.assertEqual(len(self.house.door.watches), 0)

    def test_during_a_command(self):
        """What happens while a command runs waits for its end."""
        self.house = House(threads=(threads := HeldThreads()))
        client = self.house.connect()
        client.send("x LOGIN robin secret\r\nx SELECT INBOX\r\nn NOTIFY SET (selected (MessageNew MessageExpunge))\r\n")
        threads.go()
        client.heard()
        client.send("a STATUS INBOX (MESSAGES)\r\n")
        self.house.inbox.put(MESSAGE)
        self.house.doorbell.ring("u-robin", "INBOX")
        threads.waiting.insert(0, threads.waiting.pop())
        threads.step()
        self.assertEqual(client.heard(), "")
        threads.go()
        heard = client.heard()
        self.assertEqual((heard.count("* 1 EXISTS"), heard.count("a OK STATUS")), (1, 1))

    def test_a_command_during_a_notification(self):
        """A command that comes while the client is being told waits for that."""
        self.house = House(threads=(threads := HeldThreads()))
        client = self.house.connect()
        client.send(
            "x LOGIN robin secret\r\nx SELECT INBOX\r\nn NOTIFY SET (selected (MessageNew (UID) MessageExpunge))\r\n"
        )
        threads.go()
        client.heard()
        self.house.inbox.put(MESSAGE)
        self.house.doorbell.ring("u-robin", "INBOX")
        threads.step()
        client.send("a NOOP\r\n")
        self.assertNotIn("a OK", client.heard())
        threads.go()
        self.assertTrue(client.heard().endswith("a OK NOOP completed\r\n"))

    def test_a_large_command_can_be_told_of(self):
        """Every new message is fetched, however many come at once."""
        client = self.notified("SET (selected (MessageNew (UID) MessageExpunge))", select="INBOX")
        for _ in range(600):
            self.inbox.arrive(b"x: y\r\n\r\n")
        self.ring("INBOX")
        self.assertEqual(client.heard().count(" FETCH (UID "), 600)

    def test_the_folder_is_deleted(self):
        """The deletion of the selected folder is told at once."""
        self.folder("Work")
        client = self.notified(f"SET (selected {ALL})", select="Work")
        self.house.account.delete("Work")
        self.ring("Work")
        self.assertEqual(client.heard(), "* BYE The selected mailbox was deleted\r\n")


class FollowedTests(NotifyCase):
    """Searches that are followed (RFC 5465, 7)."""

    def test_new_messages_that_match(self):
        """Of a new message that matches the client hears what it wanted to know: EXISTS, FETCH, then ESEARCH."""
        client = self.notified(f"SET (selected {ALL})", select="INBOX")
        heard = client.say('b SEARCH RETURN (COUNT UPDATE (UID BODY[HEADER.FIELDS (SUBJECT)])) FROM "boss"')
        self.assertEqual(heard, ['* ESEARCH (TAG "b") COUNT 0', "b OK SEARCH completed"])
        self.inbox.arrive(MESSAGE)
        self.delivered(self.inbox, b"From: my boss <b@x.example>\r\nSubject: Re: good morning\r\n\r\n")
        self.assertEqual(
            client.heard(),
            "* 2 EXISTS\r\n* 2 RECENT\r\n"
            "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {29}\r\nSubject: Re: good morning\r\n\r\n)\r\n"
            '* ESEARCH (TAG "b") ADDTO (0 2)\r\n',
        )

    def test_flags_that_match(self):
        """Of one that comes to match by its flags nothing is fetched; nor is anything marked as read."""
        self.inbox.put(MESSAGE)
        client = self.notified(f"SET (selected {ALL})", select="INBOX")
        client.say("b UID SEARCH RETURN (UPDATE(UID BODY[])) FLAGGED")
        self.inbox.store([1], "add", ["\\Flagged"])
        self.ring("INBOX")
        self.assertEqual(
            client.heard(),
            '* 1 FETCH (UID 1 FLAGS (\\Recent \\Flagged))\r\n* ESEARCH (TAG "b") UID ADDTO (0 1)\r\n',
        )
        self.inbox.arrive(MESSAGE, ["\\Flagged"])
        self.ring("INBOX")
        self.assertIn("* 2 FETCH (UID 2 BODY[] {", client.heard())
        self.assertNotIn("\\Seen", self.inbox.flags_of(2))

    def test_grammar(self):
        """What to fetch is a list of what FETCH knows."""
        client = self.notified("NONE", select="INBOX")
        for option in ("UPDATE ()", "UPDATE (BOGUS)", "UPDATE (UID", "UPDATE ((UID))"):
            self.assertTrue(client.say(f"b SEARCH RETURN ({option}) ALL")[0].startswith("b BAD "), option)


class OtherTests(NotifyCase):
    def test_new(self):
        """A delivery elsewhere is told by STATUS: how many, and the next UID."""
        client = self.notified("SET (mailboxes Sent (MessageNew MessageExpunge)) (selected NONE)", select="INBOX")
        sent = self.house.account.folder("Sent")
        self.delivered(sent)
        validity = sent.snapshot.uidvalidity
        self.assertEqual(client.heard(), f"* STATUS Sent (MESSAGES 1 UIDNEXT 2 UIDVALIDITY {validity})\r\n")

    def test_status_first(self):
        """STATUS asks for how things stand, of all watched mailboxes but the selected one, before the OK."""
        self.inbox.put(MESSAGE)
        client = self.house.selected()
        heard = client.say(f"n NOTIFY SET STATUS (selected {ALL}) (inboxes {ALL}) (mailboxes (Sent Drafts Nowhere) "
                           "(MessageNew MessageExpunge)) (mailboxes Junk (MailboxName))")
        self.assertEqual([line.split(" (")[0] for line in heard[:-1]], ["* STATUS Drafts", "* STATUS Sent"])
        self.assertRegex(heard[0], r"\(MESSAGES 0 UIDNEXT 1 UIDVALIDITY \d+\)")
        client.say("u UNSELECT")
        heard = client.say(f"n NOTIFY SET STATUS (inboxes {ALL})")
        self.assertRegex(heard[0], r"\* STATUS INBOX \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1 HIGHESTMODSEQ 2\)")

    def test_flags(self):
        """Flags elsewhere: how many are unseen; with CONDSTORE the change's number, of any change."""
        self.inbox.put(MESSAGE)
        plain = self.notified(f"SET (inboxes {ALL})")
        aware = self.notified(f"SET (inboxes {ALL})", enable="CONDSTORE")
        unwanted = self.notified("SET (inboxes (MessageNew MessageExpunge))")
        validity = self.inbox.snapshot.uidvalidity
        self.inbox.store([1], "add", ["\\Seen"])
        self.ring("INBOX")
        self.assertEqual(plain.heard(), f"* STATUS INBOX (UNSEEN 0 UIDVALIDITY {validity})\r\n")
        self.assertEqual(aware.heard(), f"* STATUS INBOX (UNSEEN 0 HIGHESTMODSEQ 3 UIDVALIDITY {validity})\r\n")
        self.inbox.store([1], "add", ["\\Flagged"])
        self.ring("INBOX")
        self.assertEqual(plain.heard(), "")
        self.assertEqual(aware.heard(), f"* STATUS INBOX (HIGHESTMODSEQ 4 UIDVALIDITY {validity})\r\n")
        self.assertEqual(unwanted.heard(), "")

    def test_several_at_once(self):
        """Several changes that wait for the end of a command are told as one."""
        client = self.notified(f"SET (inboxes {ALL})")
        client.wire.producer.pauseProducing()
        for _ in range(3):
            self.delivered(self.inbox)
        self.inbox.store([1, 2], "add", ["\\Seen"])
        self.ring("INBOX")
        self.assertEqual(client.heard(), "")
        client.wire.producer.resumeProducing()
        lines = client.heard().split("\r\n")[:-1]
        self.assertRegex(lines[-1], r"\* STATUS INBOX \(MESSAGES 3 UIDNEXT 4 UNSEEN 1 UIDVALIDITY \d+\)")
        self.assertLessEqual(len(lines), 2)

    def test_without_a_ring(self):
        """Five seconds later it is told nevertheless."""
        client = self.notified(f"SET (personal {ALL})")
        self.inbox.arrive(MESSAGE)
        self.house.clock.advance(5)
        self.assertIn("* STATUS INBOX (MESSAGES 1 ", client.heard())

    def test_very_many_folders_without_a_ring(self):
        """Of very many folders a portion is looked at each time, and all of them before long."""
        self.patch(surroundings, "PORTION", 3)
        client = self.notified(f"SET (personal {ALL})")
        self.inbox.arrive(MESSAGE)
        self.house.account.folder("Sent").arrive(MESSAGE)
        looks = []
        for _ in range(3):
            self.house.clock.advance(5)
            looks.append(client.heard())
        self.assertEqual("".join(looks).count("MESSAGES 1"), 2)
        calls = self.house.account.folder("Archive").calls
        self.assertLessEqual(calls.count("status"), 3)

    def test_subtree(self):
        """A subtree is the mailbox and all below it, made later too."""
        client = self.notified(f"SET (subtree Lists {ALL})")
        self.assertEqual(client.heard(), "")
        lists, below = self.folder("Lists"), self.folder("Lists/Python")
        other = self.folder("Lists2")
        for folder in (lists, below, other):
            self.delivered(folder)
        told = [line.split(" (")[0] for line in client.heard().split("\r\n")[:-1]]
        self.assertEqual(told, ["* STATUS Lists", "* STATUS Lists/Python"])

    def test_made_with_messages(self):
        """What is in a mailbox made meanwhile is told, also when nobody rang in between."""
        client = self.notified(f"SET (personal {ALL})")
        self.house.account.create("Work").put(MESSAGE)
        self.ring("Work")
        self.assertIn("* STATUS Work (MESSAGES 1 UIDNEXT 2 ", client.heard())

    def test_subscribed(self):
        """The list of subscriptions is looked at as it is now."""
        work = self.folder("Work")
        client = self.notified(f"SET (subscribed {ALL})")
        self.delivered(work)
        self.assertEqual(client.heard(), "")
        self.house.account.subscribe("Work", True)
        self.ring("Work")
        self.delivered(work)
        self.assertIn("* STATUS Work (MESSAGES 2 ", client.heard())

    def test_none_leaves_out(self):
        """A group with NONE takes mailboxes out of the others."""
        client = self.notified(f"SET (personal {ALL}) (mailboxes Junk NONE)")
        self.delivered(self.house.account.folder("Junk"))
        self.assertEqual(client.heard(), "")
        self.delivered(self.inbox)
        self.assertIn("STATUS INBOX", client.heard())

    def test_no_wildcards(self):
        """Mailboxes are named, not matched."""
        client = self.notified(f'SET (mailboxes ("*" "%") {ALL})')
        self.delivered(self.inbox)
        self.assertEqual(client.heard(), "")

    def test_selected_overrides(self):
        """For the selected mailbox its own group counts, even when others name it; afterwards they count again."""
        client = self.notified(f"SET (selected (MessageNew MessageExpunge)) (personal {ALL})", select="INBOX")
        self.delivered(self.inbox)
        self.assertEqual(client.heard(), "* 1 EXISTS\r\n* 1 RECENT\r\n")
        client.say("a UNSELECT")
        self.delivered(self.inbox)
        self.assertIn("* STATUS INBOX (MESSAGES 2 ", client.heard())

    def test_during_idle(self):
        """IDLE tells the same."""
        client = self.notified(f"SET (inboxes {ALL})")
        client.say("a IDLE")
        self.delivered(self.inbox)
        self.assertIn("* STATUS INBOX (MESSAGES 1 ", client.heard())
        self.assertEqual(client.say("DONE"), ["a OK IDLE completed"])
        self.delivered(self.inbox)
        self.assertIn("* STATUS INBOX (MESSAGES 2 ", client.heard())

    def test_own_messages(self):
        """What the client itself copies or appends elsewhere it knows already."""
        self.inbox.put(MESSAGE)
        client = self.notified(f"SET (selected {ALL}) (personal {ALL})", select="INBOX")
        self.assertEqual(len(client.say("a COPY 1 Archive")), 1)
        self.assertEqual(len(client.say(b"b APPEND Sent {%d+}\r\n%b" % (len(MESSAGE), MESSAGE))), 1)
        self.assertEqual(client.heard(), "")
        self.house.account.folder("Archive").arrive(MESSAGE)
        self.ring("Archive")
        self.assertIn("* STATUS Archive (MESSAGES 2 ", client.heard())

    def test_two_sessions_one_look(self):
        """However many sessions want to know, a ring makes one look."""
        clients = [self.notified(f"SET (inboxes {ALL})") for _ in range(20)]
        self.inbox.calls.clear()
        self.delivered(self.inbox)
        self.assertEqual(self.inbox.calls.count("status"), 1)
        self.assertEqual({"MESSAGES 1" in client.heard() for client in clients}, {True})


class NameTests(NotifyCase):
    def listening(self, events="(MailboxName SubscriptionChange)", where="personal"):
        return self.notified(f"SET ({where} {events})")

    def other(self, line):
        other = self.house.signed_in()
        self.assertIn(" OK ", other.say(line)[-1])
        other.leave()

    def test_created(self):
        """A mailbox that somebody makes is told, and the one above it, which has children now."""
        client = self.listening()
        self.other("a CREATE Work")
        self.assertEqual(client.heard(), '* LIST (\\HasNoChildren) "/" Work\r\n')
        self.other("a CREATE Work/2026")
        self.assertEqual(
            client.heard(), '* LIST (\\HasChildren) "/" Work\r\n* LIST (\\HasNoChildren) "/" Work/2026\r\n'
        )

    def test_deleted(self):
        """One that is gone does not exist."""
        self.folder("Work")
        client = self.listening()
        self.other("a DELETE Work")
        self.assertEqual(client.heard(), '* LIST (\\NonExistent \\HasNoChildren) "/" Work\r\n')

    def test_renamed(self):
        """A renamed one has an old name; those below it are not mentioned."""
        self.folder("Work")
        self.folder("Work/2026")
        client = self.listening()
        self.other("a RENAME Work Play")
        self.assertEqual(client.heard(), '* LIST (\\HasChildren) "/" Play ("OLDNAME" (Work))\r\n')

    def test_renamed_into_a_subtree(self):
        """Whoever watches the old or the new name hears of it."""
        self.folder("Work")
        self.folder("Lists")
        for where in ("subtree Lists", "mailboxes Work"):
            client = self.listening(where=where)
            self.other("a RENAME Work Lists/Work")
            self.assertIn('"OLDNAME" (Work)', client.heard(), where)
            client.leave()
            self.house.account.rename("Lists/Work", "Work")

    def test_subscriptions(self):
        """A subscription that begins or ends is told, with all other attributes right."""
        client = self.listening("(SubscriptionChange)")
        self.folder("Work")
        self.assertEqual(client.heard(), "")
        self.other("a SUBSCRIBE Work")
        self.assertEqual(client.heard(), '* LIST (\\Subscribed \\HasNoChildren) "/" Work\r\n')
        self.other("a UNSUBSCRIBE Work")
        self.assertEqual(client.heard(), '* LIST (\\HasNoChildren) "/" Work\r\n')
        self.other("a UNSUBSCRIBE Junk")
        self.assertEqual(client.heard(), '* LIST (\\HasNoChildren \\Junk) "/" Junk\r\n')

    def test_subscribed_only(self):
        """Who follows its subscriptions hears of those that end, too."""
        client = self.listening("(SubscriptionChange)", "subscribed")
        self.other("a UNSUBSCRIBE Junk")
        self.assertIn("Junk", client.heard())

    def test_own(self):
        """What the client does itself it need not be told."""
        client = self.listening()
        for line in ("CREATE A/B", "SUBSCRIBE A/B", "RENAME A C", "UNSUBSCRIBE A/B", "DELETE C/B", "DELETE C"):
            answer = client.say(f"a {line}")
            self.assertEqual([said[:4] for said in answer], ["a OK"], line)
            self.assertEqual(client.heard(), "", line)

    def test_names_in_utf7(self):
        """Names are written as the client can read them."""
        client = self.listening()
        self.house.account.create("été")
        self.ring("été")
        self.assertEqual(client.heard(), '* LIST (\\HasNoChildren) "/" &AOk-t&AOk-\r\n')

    def test_annotations(self):
        """Annotations of mailboxes and of the account are told by name; one's own are not."""
        client = self.notified("SET (mailboxes INBOX (MailboxMetadataChange)) (personal (ServerMetadataChange))")
        self.other('a SETMETADATA INBOX (/private/comment "x")')
        self.assertEqual(client.heard(), "* METADATA INBOX /private/comment\r\n")
        self.other('a SETMETADATA "" (/private/comment "x")')
        self.assertEqual(client.heard(), '* METADATA "" /private/comment\r\n')
        self.other('a SETMETADATA Junk (/private/comment "x")')
        self.assertEqual(client.heard(), "")
        client.say('a SETMETADATA INBOX (/private/comment "y")')
        self.assertEqual(client.heard(), "")

    def test_annotations_once(self):
        """Who has enabled METADATA as well is told once."""
        client = self.notified("SET (personal (MailboxMetadataChange))", enable="METADATA")
        self.other('a SETMETADATA INBOX (/private/comment "x")')
        self.assertEqual(client.heard(), "* METADATA INBOX /private/comment\r\n")
        self.assertEqual(client.say("a NOOP"), ["a OK NOOP completed"])


class RefusedTests(NotifyCase):
    def test_grammar(self):
        """What makes no sense is BAD, and what was in force stays in force."""
        client = self.notified(f"SET (inboxes {ALL})")
        for arguments in (
            "", "SET", "SET STATUS", "NONE x", "SET ()", "SET (personal)", "SET (personal ())", "SET personal NONE",
            "SET (personal (MessageNew))", "SET (personal (MessageExpunge))", "SET (personal (FlagChange))",
            "SET (selected (MessageNew MessageExpunge)) (selected-delayed NONE)", "SET (selected (MailboxName))",
            "SET (inboxes (MessageNew (UID) MessageExpunge))", "SET (selected (MessageNew (BOGUS) MessageExpunge))",
            "SET (subtree (MessageNew MessageExpunge))", "SET (bogus NONE)", "SET (personal NONE) x",
            "SET (selected (MessageExpunge (UID) MessageNew))", "SET (selected (MessageNew () MessageExpunge))",
        ):  # fmt: skip
            self.assertTrue(client.say(f"n NOTIFY {arguments}")[0].startswith("n BAD "), arguments)
            client.say("x NOOP")
        self.delivered(self.inbox)
        self.assertIn("STATUS INBOX", client.heard())

    def test_unknown_events(self):
        """Events that are not there are NO, with those that are."""
        client = self.house.signed_in()
        for event in ("AnnotationChange", "X-Other"):
            self.assertEqual(
                client.say(f"n NOTIFY SET (personal (MessageNew MessageExpunge {event}))"),
                [f"n NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
                 f"MailboxMetadataChange ServerMetadataChange)] There are no events {event} here"],
            )

    def test_without_parentheses(self):
        """The RFC's own example leaves out the parentheses around events; so may clients."""
        client = self.house.signed_in()
        self.assertEqual(
            client.say("b notify set status (selected MessageNew (uid body.peek[header.fields (from to subject)]) "
                       "MessageExpunge) (subtree Lists MessageNew MessageExpunge)"),
            ["b OK NOTIFY completed"],
        )  # fmt: skip

    def test_too_many_folders(self):
        """Too many mailboxes to watch are refused; what was in force stays so."""
        client = self.notified(f"SET (inboxes {ALL})")
        self.patch(surroundings, "MOST_FOLDERS", 3)
        self.assertTrue(client.say(f"n NOTIFY SET (personal {ALL})")[0].startswith("n NO [NOTIFICATIONOVERFLOW]"))
        self.delivered(self.inbox)
        self.assertIn("STATUS INBOX", client.heard())

    def test_too_many_groups(self):
        """A hundred groups of events are enough for everybody."""
        client = self.house.signed_in()
        groups = " ".join(["(personal NONE)"] * 101)
        self.assertTrue(client.say(f"n NOTIFY SET {groups}")[0].startswith("n NO [NOTIFICATIONOVERFLOW]"))

    def test_overflow(self):
        """When more happens than a client reads, it is told so, and then of nothing, as after NOTIFY NONE."""
        self.patch(notifier, "MOST_WAITING", 5)
        client = self.notified(f"SET (selected {ALL}) (personal (MailboxName))", select="INBOX")
        client.wire.producer.pauseProducing()
        for n in range(7):
            self.folder(f"F{n}")
        client.wire.producer.resumeProducing()
        self.assertIn("* OK [NOTIFICATIONOVERFLOW] ", client.heard())
        self.folder("G")
        self.delivered(self.inbox)
        self.assertEqual(client.heard(), "")
        self.assertEqual(len(self.house.door.watches.surroundings), 0)

    def test_before_signing_in(self):
        """There is nothing to hear of before signing in."""
        client = self.house.connect()
        self.assertTrue(client.say("n NOTIFY NONE")[0].startswith("n BAD "))


class LeavingTests(NotifyCase):
    def test_leaving(self):
        """Nothing remains of a client that leaves, nor of one that says NOTIFY NONE."""
        what = f"SET (selected {ALL}) (personal (MessageNew MessageExpunge MailboxName))"
        leaving, staying = self.notified(what, select="INBOX"), self.notified(what, select="INBOX")
        leaving.leave()
        self.delivered(self.inbox)
        self.assertIn("* 1 EXISTS", staying.heard())
        staying.say("n NOTIFY NONE")
        watches = self.house.door.watches
        self.assertEqual((len(watches), len(watches.surroundings), self.house.doorbell.listeners), (0, 0, []))

    def test_logout(self):
        """The same after LOGOUT."""
        client = self.notified(f"SET (selected {ALL}) (personal {ALL})", select="INBOX")
        client.say("a LOGOUT")
        client.leave()
        watches = self.house.door.watches
        self.assertEqual((len(watches), len(watches.surroundings), self.house.doorbell.listeners), (0, 0, []))

    def test_leaving_while_asked(self):
        """A client that leaves while the disk is asked leaves nothing behind either."""
        self.house = House(threads=(threads := HeldThreads()))
        client = self.house.connect()
        client.send("x LOGIN robin secret\r\n")
        threads.go()
        client.send(f"n NOTIFY SET (personal {ALL})\r\n")
        client.leave()
        threads.go()
        watches = self.house.door.watches
        self.assertEqual((len(watches.surroundings), self.house.doorbell.listeners), (0, []))
        self.assertEqual(self.house.clock.getDelayedCalls(), [])

    def test_the_disk_fails(self):
        """When the folders cannot be looked at, the command is refused; later looks go on after a trouble."""
        client = self.notified(f"SET (inboxes {ALL})")
        status, self.inbox.status = self.inbox.status, lambda: 1 / 0
        self.delivered(self.inbox)
        self.assertEqual(len(self.house.journal.named("trouble")), 1)
        other = self.house.signed_in()
        self.assertTrue(other.say(f"n NOTIFY SET (inboxes {ALL})")[0].startswith("n NO [SERVERBUG]"))
        self.inbox.status = status
        self.house.clock.advance(5)
        self.assertIn("* STATUS INBOX (MESSAGES 1 ", client.heard())

    def test_whoever_may_not_go_on(self):
        """Who is deleted meanwhile is told nothing any more."""
        client = self.notified(f"SET (inboxes {ALL})")
        del self.house.book.by_id["u-robin"]
        self.delivered(self.inbox)
        self.assertTrue(client.heard().startswith("* BYE "))

    def test_shutting_down(self):
        """A node that shuts down says goodbye to those who only listen."""
        client = self.notified(f"SET (inboxes {ALL})")
        self.house.door.drain()
        self.assertTrue(client.heard().startswith("* BYE [UNAVAILABLE]"))


class OnDiskTests(SynchronousTestCase):
    """With the store on disk, and another process that works on the same account."""

    def setUp(self):
        root = self.mktemp()
        self.store, self.other = (Store(root, disk=Disk(), now=time.time, host=host) for host in ("a", "b"))
        self.addCleanup(self.other.close)
        self.addCleanup(self.store.close)
        self.house = House(store=self.store)
        self.client = self.house.signed_in()
        self.theirs = self.other.account("u-robin")

    def ring(self, name):
        self.house.doorbell.ring("u-robin", name)
        return self.client.heard()

    def put(self, name, flags=()):
        descriptor, path = self.theirs.new_file()
        os.write(descriptor, MESSAGE)
        os.close(descriptor)
        return self.theirs.folder(name).append(path, flags, None)

    def test_a_day(self):
        """Messages, flags, names, subscriptions and annotations of the other process are told."""
        self.client.say(f"n NOTIFY SET (selected {ALL}) (personal (MessageNew MessageExpunge FlagChange MailboxName "
                        "SubscriptionChange MailboxMetadataChange))")
        self.client.say("s SELECT INBOX")
        uid = self.put("INBOX")
        self.assertIn("* 1 EXISTS", self.ring("INBOX"))
        self.put("Sent", ["\\Seen"])
        self.assertRegex(self.ring("Sent"), r"^\* STATUS Sent \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+\)\r\n$")
        self.theirs.folder("INBOX").store([uid], "add", ["\\Deleted"])
        self.assertEqual(self.ring("INBOX"), f"* 1 FETCH (UID {uid} FLAGS (\\Recent \\Deleted))\r\n")
        self.theirs.create("Work/2026")
        self.assertEqual(
            self.ring("Work/2026"),
            '* LIST (\\HasChildren) "/" Work\r\n* LIST (\\HasNoChildren) "/" Work/2026\r\n',
        )
        self.theirs.rename("Work", "Play")
        self.assertEqual(self.ring("Play"), '* LIST (\\HasChildren) "/" Play ("OLDNAME" (Work))\r\n')
        self.theirs.subscribe("Play", True)
        self.assertEqual(self.ring("Play"), '* LIST (\\Subscribed \\HasChildren) "/" Play\r\n')
        self.theirs.set_metadata("Play", {"/private/comment": b"x"})
        self.assertEqual(self.ring("Play"), "* METADATA Play /private/comment\r\n")
        self.theirs.folder("INBOX").expunge()
        self.assertEqual(self.ring("INBOX"), "* 1 EXPUNGE\r\n")
        self.theirs.delete("Play/2026")
        heard = self.ring("Play/2026")
        self.assertIn('* LIST (\\NonExistent \\HasNoChildren) "/" Play/2026\r\n', heard)
        self.assertIn('* LIST (\\Subscribed \\HasNoChildren) "/" Play\r\n', heard)
