"""To a VPIM location: its own host, or the smart host where it has none."""

from __future__ import annotations

from zope.interface import moduleProvides

from unitymail.interfaces.book import IBook
from unitymail.interfaces.next_hop_rule import INextHopRule
from unitymail.people.location import LocationKind
from unitymail.routing.hops.smart_host import smart_host
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import Convert

moduleProvides(INextHopRule)

steps = (Convert,)
GONE = Failure("5.3.5", "The voice-mail system of the recipient is not known here.")


def key(step: Convert) -> str:
    return f"vpim {step.location}"


def next_hop(step: Convert, book: IBook) -> NextHop | Failure:
    location = book.location(step.location)
    if location is None or location.kind is not LocationKind.VPIM:
        return GONE
    if not location.host:
        return smart_host(book)
    return NextHop(key(step), f"the voice-mail system {location.name}", location.host, location.port)
