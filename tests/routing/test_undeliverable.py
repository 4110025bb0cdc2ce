"""Who keeps what can neither be delivered nor returned."""

from dataclasses import replace

from tests.fakes import CHRIS, ROBIN, FakeBook
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.routing.steps import BadMail, Deliver, HandOver, RelayToUser
from unitymail.routing.undeliverable import kept_by

ADDRESS = "undeliverablemessages@vm1.example.com"
LIST = DistributionList("d-u", UNDELIVERABLE, ADDRESS, members=(ROBIN.id, CHRIS.id))


def test_the_members_of_the_list():
    """Each gets it into the mailbox, wherever that is."""
    away = replace(CHRIS, home="l-peer")
    assert kept_by(FakeBook(ROBIN, away, LIST), "why") == (
        Deliver(ROBIN.id, ADDRESS), HandOver("l-peer", away.address, ADDRESS),
    )


def test_nobody_gets_it_twice():
    """Whom another step brings the message to has it; what is kept for the administrator is kept once."""
    away = replace(CHRIS, home="l-peer", proxies=("c@example.com",))
    book = FakeBook(ROBIN, away, LIST)
    here, there = kept_by(book, "why")
    assert kept_by(book, "why", [Deliver(ROBIN.id, ROBIN.address, True)]) == (there,)
    assert kept_by(book, "why", [HandOver("l-peer", "C@Example.com", "x@y.example")]) == (here,)
    assert kept_by(book, "why", [here, there, BadMail("else")]) == ()
    assert kept_by(book, "why", [RelayToUser(ROBIN.id, "r@x.example", ROBIN.address)]) == (here, there)
    assert kept_by(book, "why", [here], as_bad_mail=True) == (BadMail("why"),)
    assert kept_by(book, "why", [BadMail("else")], as_bad_mail=True) == ()


def test_bad_mail_where_nobody_keeps_it():
    """No list, or nobody on it with a mailbox: the administrator finds it in bad mail."""
    assert kept_by(FakeBook(ROBIN), "why") == (BadMail("why"),)
    assert kept_by(FakeBook(ROBIN, replace(LIST, members=())), "why") == (BadMail("why"),)
    assert kept_by(FakeBook(ROBIN, replace(LIST, members=("u-gone",))), "why") == (BadMail("why"),)
