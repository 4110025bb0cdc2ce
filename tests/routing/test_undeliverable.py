"""Who keeps what can neither be delivered nor returned."""

from dataclasses import replace

from tests.fakes import CHRIS, ROBIN, FakeBook
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.routing.steps import BadMail, Deliver, HandOver
from unitymail.routing.undeliverable import kept_by

ADDRESS = "undeliverablemessages@vm1.example.com"
LIST = DistributionList("d-u", UNDELIVERABLE, ADDRESS, members=(ROBIN.id, CHRIS.id))


def test_the_members_of_the_list():
    """Each gets it into the mailbox, wherever that is."""
    away = replace(CHRIS, home="l-peer")
    assert kept_by(FakeBook(ROBIN, away, LIST), "why") == (
        Deliver(ROBIN.id, ADDRESS), HandOver("l-peer", away.address, ADDRESS),
    )


def test_bad_mail_where_nobody_keeps_it():
    """No list, or nobody on it with a mailbox: the administrator finds it in bad mail."""
    assert kept_by(FakeBook(ROBIN), "why") == (BadMail("why"),)
    assert kept_by(FakeBook(ROBIN, replace(LIST, members=())), "why") == (BadMail("why"),)
    assert kept_by(FakeBook(ROBIN, replace(LIST, members=("u-gone",))), "why") == (BadMail("why"),)
