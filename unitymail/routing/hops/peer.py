"""To the home server of a remote user: a peer, over mutual TLS, known by its key."""

from __future__ import annotations

from zope.interface import moduleProvides

from unitymail.interfaces.book import IBook
from unitymail.interfaces.next_hop_rule import INextHopRule
from unitymail.people.location import LocationKind
from unitymail.routing.next_hop import NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import HandOver

moduleProvides(INextHopRule)

steps = (HandOver,)
GONE = Failure("5.3.5", "The recipient's home server is not known here.")


def key(step: HandOver) -> str:
    return f"peer {step.peer}"


def next_hop(step: HandOver, book: IBook) -> NextHop | Failure:
    peer = book.location(step.peer)
    if peer is None or peer.kind is not LocationKind.PEER:
        return GONE
    return NextHop(
        key(step), f"the peer {peer.name}", peer.host, peer.port, tls="pinned", fingerprint=peer.fingerprint
    )
