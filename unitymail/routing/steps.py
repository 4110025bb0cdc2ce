"""The steps a decision consists of: frozen values with equality, so that behaviour is tested by comparing lists.

A step says what is to happen, never how or when; the courier's performers know that.
"""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.mail.fate import Fate as Fate


@dataclass(frozen=True, slots=True)
class Deliver:
    """Into the INBOX of a user of this node. `account` is the user's id, `to` the address as the sender wrote it.

    `from_vpim`: it comes as VPIM (RFC 3801), and goes into the mailbox in the form that Outlook plays.
    """

    account: str
    to: str
    from_vpim: bool = False


@dataclass(frozen=True, slots=True)
class Convert:
    """To VPIM, then to the contact's location. `to` is the VPIM address, `original` what the sender wrote."""

    location: str
    contact: str
    to: str
    original: str


@dataclass(frozen=True, slots=True)
class RelayToSmartHost:
    """Out through the smart host, the recipient unchanged.

    `original` is what the sender wrote when that is not `to`: the address of a list that `to` is a member of.
    """

    to: str
    original: str = ""


@dataclass(frozen=True, slots=True)
class RelayToUser:
    """What the action *relay* asks for: through the smart host to the user's relay address.

    `kept`: the mailbox has a copy (accept-and-relay), so the sender's message is delivered whatever comes of this one.
    """

    account: str
    to: str
    original: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """To the home server of a remote user. `peer` is the id of its location.

    `original` is what the sender wrote when that is not `to`: the address of a list that `to` is a member of.
    """

    peer: str
    to: str
    original: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One delivery status notification to the envelope sender, with a group per recipient."""

    to: str
    fates: tuple[Fate, ...]


@dataclass(frozen=True, slots=True)
class BadMail:
    """Into the bad-mail folder of the node, for an administrator to look at."""

    reason: str


@dataclass(frozen=True, slots=True)
class LearnContact:
    """What a message from a VPIM location (its id) tells of its sender: a contact to make, change or remove."""

    location: str


Step = Deliver | Convert | RelayToSmartHost | RelayToUser | HandOver | Report | BadMail | LearnContact
