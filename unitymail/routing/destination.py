"""What a message comes to for one recipient object: gates, message action, quota, or the way to another system.

Refuses to know search scopes and lists: those are before (`routing.plan`, `routing.expand`).

Note *What another node knows*. A peer gets the address that the sender wrote, unless only this node knows it: the
number by which a VPIM location dials a user of ours, the Dial ID of a location, and `+tag`, which another node may not
forgive. Then it gets the user's own address, or the mailbox at the location.
"""

from __future__ import annotations

from dataclasses import replace

from unitymail.mail.address import key_of, split
from unitymail.mail.message import Category
from unitymail.people.contact import Contact
from unitymail.people.location import Location
from unitymail.people.user import User
from unitymail.policy.limits import may_receive
from unitymail.policy.secure import relay_gate, vpim_gate
from unitymail.routing.actions import discover
from unitymail.routing.hops.peer import GONE as NO_PEER
from unitymail.routing.hops.smart_host import NOT_SET as NO_SMART_HOST
from unitymail.routing.resolve import Found, takes_no_mail
from unitymail.routing.situation import Destination, Failure, Planned, Situation
from unitymail.routing.steps import BadMail, Convert, Deliver, HandOver, RelayToSmartHost, RelayToUser

ACTIONS = discover()
FULL = Failure("4.2.2", "The recipient's mailbox is full.")
UNKNOWN = Failure("5.1.1", "Nobody here has this address.")
NO_MAILBOX = Failure("5.1.1", "This address stands for callers who have no mailbox, so nothing can be sent to them.")
VOICE_ONLY = Failure("5.6.1", "The recipient's voice-mail system takes voice and fax messages only.")
NEVER_RELAYED = {"stranger": "a stranger", "smart-host": "the smart host", "peer": "a peer"}
"""Whose unknown recipients never go to the smart host: no open relay, no ping-pong."""


def destination(found: Found, address: str, to: str, situation: Situation, *, quota: bool = True) -> Destination:
    """`address` is where the message goes and how a report names it, `to` what the sender wrote (a list, perhaps)."""
    entry = found.entry
    if found.kind == "user" and isinstance(entry, User):
        return Destination("user", entry.id, address, _local(entry, to, situation, quota))
    if found.kind == "remote-user" and isinstance(entry, User):
        there = address if entry.owns(key_of(address)) else entry.address
        return Destination("remote-user", entry.id, address, _hand_over(entry.home, there, to, situation))
    if found.kind == "vpim-contact" and found.location is not None:
        planned = _vpim(found, found.location, address, to, situation)
        return Destination("vpim-contact", "vpim " + key_of(found.to), address, planned)
    if found.kind == "postmaster":
        return Destination("unknown", "postmaster", address, Planned((BadMail(found.reason),), "kept as bad mail"))
    return Destination("unknown", "smtp " + key_of(address), address, _unknown(address, to, situation))


def _local(user: User, to: str, situation: Situation, quota: bool) -> Planned:
    planned = ACTIONS[user.actions.of(situation.message.category)].act(user, to, situation)
    if not quota or situation.message.category is Category.RECEIPT or may_receive(user, situation.usage):
        return planned
    if not any(isinstance(step, Deliver) for step in planned.steps):
        return planned
    left = tuple(replace(step, kept=False) for step in planned.steps if isinstance(step, RelayToUser))
    return Planned(left, f"{planned.reason}, but the mailbox is full", FULL)


def _hand_over(peer: str, address: str, to: str, situation: Situation) -> Planned:
    location = situation.book.location(peer)
    if location is None:
        return Planned((), f"the peer {peer} is not known", NO_PEER)
    return Planned((HandOver(peer, address, "" if to == address else to),), f"handed over to {location.name}")


def _vpim(found: Found, location: Location, address: str, to: str, situation: Situation) -> Planned:
    closed = vpim_gate(situation.secure, location)
    if closed:
        return Planned((), closed, Failure("5.7.1", f"The message could not be passed on: {closed}."))
    if location.voice_only and situation.message.category is Category.EMAIL:
        return Planned((), f"{location.name} takes voice and fax messages only", VOICE_ONLY)
    contact = found.entry if isinstance(found.entry, Contact) else None
    if location.home:
        theirs = contact is not None and key_of(address) in map(key_of, contact.proxies)
        return _hand_over(location.home, address if theirs else found.to, to, situation)
    step = Convert(location.id, contact.id if contact is not None else "", found.to, to)
    return Planned((step,), f"converted for {location.name}")


def _unknown(address: str, to: str, situation: Situation) -> Planned:
    """NDR or smart host. Strangers never reach it, and what came from it (or from a peer) never goes there."""
    trust, site = situation.origin.trust, situation.site
    if takes_no_mail(address, situation.book):
        return Planned((), "it stands for callers who have no mailbox", NO_MAILBOX)
    domain = split(address)[1]
    peer = situation.book.peer_of(domain) if situation.own_report else None
    if peer is not None:
        return _hand_over(peer.id, address, address, situation)
    wanted = site.recipient_not_found == "smart-host" or _goes_back(domain, situation)
    if not wanted or trust in NEVER_RELAYED or not domain:
        return Planned((), _why_not_relayed(wanted, situation), UNKNOWN)
    if not site.smart_host_host:
        return Planned((), "unknown recipients go to the smart host, but none is set", NO_SMART_HOST)
    closed = relay_gate(situation.message, situation.secure, site)
    if closed:
        return Planned((), closed, Failure("5.7.1", f"The message could not be passed on: {closed}."))
    return Planned((RelayToSmartHost(address, "" if to == address else to),), "unknown recipients go to the smart host")


def _goes_back(domain: str, situation: Situation) -> bool:
    """A report of ours leaves by the smart host whatever the rule; one for our own domain could only come back."""
    ours = key_of(domain) == key_of(situation.book.domain)
    return situation.own_report and bool(situation.site.smart_host_host) and not ours


def _why_not_relayed(wanted: bool, situation: Situation) -> str:
    if not wanted:
        return "unknown recipients are reported to the sender"
    source = NEVER_RELAYED.get(situation.origin.trust)
    return f"what came from {source} never goes to the smart host" if source else "the address has no domain"
