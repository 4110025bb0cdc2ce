"""What another node is told of an address that only this one knows."""

from dataclasses import replace

from tests.fakes import FakeUsage
from tests.routing.letters import LONDON, NODE_B, REMOTE, SIGNED_IN, TRUSTED, book, envelope, message
from unitymail.routing.decide import decide
from unitymail.routing.steps import HandOver


def steps(letter, to, origin, *objects):
    return list(decide(letter, to, origin, book(*objects), FakeUsage({})).steps)


def test_a_number_that_a_location_dials():
    """A voice-mail system writes to the extension of a remote user: the home server gets the user's address."""
    dana = replace(REMOTE, extension="1043")
    at = "8882233@london.example.org"
    assert steps(message(sender=at), envelope("7771043@vm1.example.com", sender=at), TRUSTED, dana) == [
        HandOver("n-b", dana.address, "7771043@vm1.example.com")
    ]


def test_a_tag_at_a_contact_of_a_location_homed_elsewhere():
    """Whether tags are forgiven is each node's own rule: the other gets the mailbox, but a proxy address as written."""
    away = replace(LONDON, home="n-b")
    for at in ("Jo@vm1.example.com", "jo+news@vm1.example.com"):
        mailbox = HandOver("n-b", "8882233@london.example.org", at)
        expected = mailbox if "+" in at else HandOver("n-b", at)
        assert steps(message(), envelope(at), SIGNED_IN, away, NODE_B) == [expected]


def test_a_proxy_address_stays():
    """What is an address of the user's own is known on the home server too."""
    dana = replace(REMOTE, proxies=("dana.reed@example.com",))
    assert steps(message(), envelope("Dana.Reed@example.com"), SIGNED_IN, dana) == [
        HandOver("n-b", "Dana.Reed@example.com")
    ]


def test_a_blind_address_at_a_location_homed_elsewhere():
    """The Dial ID is good at our domain only: the other node gets the mailbox at the location."""
    away = replace(LONDON, home="n-b")
    assert steps(message(), envelope("720+4455@vm1.example.com"), SIGNED_IN, away, NODE_B) == [
        HandOver("n-b", "8884455@london.example.org", "720+4455@vm1.example.com")
    ]
