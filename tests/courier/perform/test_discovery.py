"""Performers are found by discovery: what is found is what we think is there."""

from unitymail.courier.perform import performer_classes
from unitymail.routing.steps import BadMail, Deliver, Report


def test_what_is_found():
    """One performer a step class; a new file in `courier.perform` shows here."""
    assert {kind.performs for kind in performer_classes()} == {Deliver, Report, BadMail}
