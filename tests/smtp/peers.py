"""Two peers, and a door that knows one of them by a key that the test puts into the handshake."""

from zope.interface import implementer

from tests.fakes import CHRIS, ROBIN, TERRY
from tests.smtp.conversation import Conversation
from unitymail.interfaces.tls import IMutualTls
from unitymail.people.location import Location, LocationKind

KEY = "ab" * 32
NODE_B = Location("l-b", LocationKind.PEER, "node-b", "vm2.example.com", "192.0.2.7", 25, fingerprint=KEY)
PEOPLE = (ROBIN, CHRIS, TERRY, NODE_B)
TELLS = "XID=n1.t1 XTRACE=t1 XSENDER=chris@vm1.example.com XKIND=user XCATEGORY=voice XSENSITIVITY=private XSECURE=yes"


@implementer(IMutualTls)
class SayingKey:
    """Every client proves to have `key`."""

    def __init__(self, key=KEY):
        self.key = key

    def client_key(self, connection):
        return self.key


def meeting(*, key=KEY, access=(), ip="192.0.2.7", people=PEOPLE, addresses=("192.0.2.7",), **options):
    """A client that has come, not said anything yet."""
    return Conversation(
        people=people, access=access, ip=ip, tls=SayingKey(key), peer_addresses=lambda: addresses, **options
    )


def proven(**options):
    """A peer that has proven itself, and said EHLO again."""
    c = meeting(**options)
    c.say("EHLO b.example")
    assert c.codes("STARTTLS") == ["220 2.0.0"]
    c.ehlo = c.say("EHLO b.example")
    return c
