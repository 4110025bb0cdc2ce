"""Performers are found by discovery: what is found is what we think is there."""

import pytest

from unitymail.courier.perform import Performers, find_performers, performer_classes
from unitymail.routing.steps import (
    BadMail,
    Convert,
    Deliver,
    HandOver,
    LearnContact,
    RelayToSmartHost,
    RelayToUser,
    Report,
)


def test_what_is_found():
    """A performer for each step class, two for deliveries; a new file in `courier.perform` shows here."""
    found = sorted((kind.performs.__name__, kind.__name__) for kind in performer_classes())
    assert found == [
        ("BadMail", "BadMailPerformer"), ("Convert", "ConvertPerformer"), ("Deliver", "DeliverFromVpimPerformer"),
        ("Deliver", "DeliverPerformer"), ("HandOver", "HandOverPerformer"),
        ("LearnContact", "LearnContactPerformer"), ("RelayToSmartHost", "RelayToSmartHostPerformer"),
        ("RelayToUser", "RelayToUserPerformer"), ("Report", "ReportPerformer"),
    ]
    assert {kind.performs for kind in performer_classes()} == {
        Deliver, Convert, RelayToSmartHost, RelayToUser, HandOver, Report, BadMail, LearnContact,
    }


class Plain:
    performs = Deliver


class Choosy:
    performs = Deliver

    def takes(self, step):
        return step.from_vpim


@pytest.mark.parametrize("performers", [(Plain(), Choosy()), (Choosy(), Plain())])
def test_who_takes_a_step_goes_first(performers):
    """Of two for one class, the one that takes the step; the other does the rest."""
    found = Performers(performers)
    assert isinstance(found.of(Deliver("u", "a@x", True)), Choosy)
    assert isinstance(found.of(Deliver("u", "a@x")), Plain)
    assert Performers([Choosy()]).of(Deliver("u", "a@x")) is None
    assert found.of(BadMail("x")) is None


def test_without_ways_out():
    """A node without a relay has no performers that send; what it has does not suffer."""
    found = find_performers(badmail=None, journal=None, threads=None, book=None)
    assert found.of(RelayToSmartHost("a@x")) is None
    assert found.of(BadMail("x")) is not None
