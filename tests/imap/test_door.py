"""Who is let in at the IMAP door, and how everybody leaves when it closes."""

from twisted.trial.unittest import SynchronousTestCase

from tests.imap.conversation import House
from unitymail.imap.server import FAREWELL_S
from unitymail.settings.site import SiteSettings


class EnteringTests(SynchronousTestCase):
    def test_too_many_connections(self):
        """Over the limit a client is told so instead of being greeted, and the journal knows."""
        house = House(site=SiteSettings(imap_max_connections=1))
        house.connect()
        late = house.connect("192.0.2.1")
        self.assertEqual(late.greeting, "* BYE [UNAVAILABLE] Too many connections; please try again later\r\n")
        self.assertTrue(late.closed)
        late.leave()
        self.assertEqual(house.ledger.held("imap"), 1)
        self.assertEqual(len(house.journal.named("turned_away")), 1)
        self.assertEqual(house.journal.named("disconnected"), [])

    def test_connections_of_a_user(self):
        """One user has so many connections at most; the refusal says how many and from where."""
        house = House(site=SiteSettings(imap_max_connections_per_user=2, imap_auth_without_tls=True))
        house.signed_in()
        second = house.signed_in("192.0.2.7")
        third = house.connect()
        [line] = third.say("a LOGIN robin secret")
        self.assertEqual(
            line, "a NO [LIMIT] You have 2 of 2 connections open: 1 from 127.0.0.1, 1 from 192.0.2.7"
        )
        second.leave()
        self.assertTrue(third.say("b LOGIN robin secret")[0].startswith("b OK"))


class SharingTests(SynchronousTestCase):
    def test_doors_share_what_they_watch(self):
        """Watches that are handed in are used, also before anybody watches anything."""
        one = House()
        self.assertEqual(len(one.door.watches), 0)
        self.assertIs(House(watches=one.door.watches).door.watches, one.door.watches)


class LeavingTests(SynchronousTestCase):
    def test_the_node_shuts_down(self):
        """Everybody is told why, those in IDLE too; the door is empty once all have left."""
        house = House()
        client, idler = house.signed_in(), house.selected()
        idler.say("a IDLE")
        idler.heard()
        gone = house.door.drain()
        self.assertEqual(client.heard(), "* BYE [UNAVAILABLE] The node is shutting down\r\n")
        self.assertEqual(idler.heard(), "* BYE [UNAVAILABLE] The node is shutting down\r\n")
        self.assertNoResult(gone)
        client.leave()
        idler.leave()
        self.successResultOf(gone)

    def test_who_does_not_leave_is_cut_off(self):
        """A client that ignores BYE does not hold the node up."""
        house = House()
        client = house.signed_in()
        house.door.drain(5)
        house.clock.advance(5)
        self.assertTrue(client.wire.aborted)

    def test_who_was_told_all_is_not_waited_for(self):
        """Under TLS a client that sleeps never closes its end; who still takes what it asked for has longer."""
        house = House()
        sleeper, reader = house.signed_in(), house.signed_in()
        reader.protocol.outlet.pauseProducing()
        house.door.drain(20)
        house.clock.advance(FAREWELL_S)
        self.assertTrue(sleeper.wire.aborted)
        self.assertFalse(reader.wire.aborted)
        house.clock.advance(20)
        self.assertTrue(reader.wire.aborted)

    def test_nothing_is_left_behind(self):
        """After a connection no timer, slot, watch or session remains."""
        house = House()
        client = house.selected()
        client.say("a IDLE")
        client.leave()
        self.assertEqual(house.clock.getDelayedCalls(), [])
        self.assertEqual((house.ledger.held("imap"), house.door.sessions, len(house.door.watches)), (0, set(), 0))
        self.assertEqual(house.doorbell.listeners, [])
