"""Who may not go on since the directory changed hears so at once, and is shown out."""

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from tests.fakes import CHRIS, DEFAULT_COS, ROBIN
from tests.imap.conversation import House
from unitymail.imap import dismissing

NO_IMAP = b"* BYE [AUTHORIZATIONFAILED] Your class of service does not include IMAP\r\n"
NEEDS_TLS = b"* BYE [PRIVACYREQUIRED] Your account shows secure messages, so it needs TLS to sign in\r\n"


class Dismissed(SynchronousTestCase):
    def setUp(self):
        chris, other = replace(CHRIS, cos="c-other"), replace(DEFAULT_COS, id="c-other")
        self.house = House(users=(ROBIN, chris, DEFAULT_COS, other))

    def class_is_now(self, **values):
        """Robin's class."""
        self.house.book.by_id["c-default"] = replace(DEFAULT_COS, **values)
        dismissing.dismiss(self.house.door)
        self.house.clock.advance(0.01)

    def idling(self):
        client = self.house.selected()
        client.say("a IDLE")
        return client

    def test_imap_is_taken_away(self):
        """Who is signed in and waits, and who idles, hears why; others stay, and who has not signed in too."""
        waiting, idle, stranger = self.house.signed_in(), self.idling(), self.house.connect()
        other = self.house.connect()
        other.say("x LOGIN chris secret")
        self.class_is_now(access_imap=False)
        clients = (waiting, idle, stranger, other)
        self.assertEqual([client.wire.value() for client in clients], [NO_IMAP, NO_IMAP, b"", b""])
        self.assertEqual([client.closed for client in clients], [True, True, False, False])

    def test_secure_messages_need_tls(self):
        """A class that shows secure messages ends connections in the clear."""
        client = self.house.signed_in()
        self.class_is_now(secure_imap=True)
        self.assertEqual(client.wire.value(), NEEDS_TLS)

    def test_another_change(self):
        """What does not concern signing in ends nothing."""
        client = self.idling()
        self.class_is_now(send_to_lists=False)
        self.assertEqual((client.wire.value(), client.closed), (b"", False))

    def test_a_crowd(self):
        """A few hundred in one turn of the reactor, the others in the next ones."""
        self.patch(dismissing, "AT_ONCE", 2)
        clients = [self.house.signed_in() for _ in range(3)]
        self.house.book.by_id["c-default"] = replace(DEFAULT_COS, access_imap=False)
        dismissing.dismiss(self.house.door)
        self.assertEqual(sum(client.closed for client in clients), 2)
        self.house.clock.advance(0)
        self.assertEqual(sum(client.closed for client in clients), 3)
