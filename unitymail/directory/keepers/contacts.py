"""Contacts: people outside with a name here."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from unitymail.directory import addresses, checks, entries
from unitymail.directory.entries import Card
from unitymail.directory.entry_keeper import EntryKeeper
from unitymail.directory.naming import owner_words
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused, Taken
from unitymail.people.contact import Contact

KIND = "contact"
_NUMBER = re.compile(r"\+?[0-9]{1,64}\Z")
"""RFC 3801 4.1.1: the number of a mailbox, or E.164 with its plus sign."""
MOST = 100_000
"""unity-connection.md 4.1: VPIM contacts of a directory."""


def check(transaction: Transaction, old: Contact | None, thing: Contact) -> tuple[Contact, Card, addresses.Wanted]:
    if old is None:
        entries.refuse_too_many(transaction, t.contacts, MOST, "contacts")
    contact = _checked(transaction.connection, thing)
    card = entries.card(
        transaction, contact.id, KIND, contact.alias, contact.display_name, contact.partition, contact.extension
    )
    wish = addresses.wanted(transaction.connection, contact.id, primary="", proxies=contact.proxies)
    return contact, card, wish


def columns(thing: Contact) -> dict[str, Any]:
    return {
        "first_name": thing.first_name,
        "last_name": thing.last_name,
        "location_id": thing.location or None,
        "mailbox_number": thing.mailbox_number,
    }


def _checked(connection: Connection, contact: Contact) -> Contact:
    first, last = checks.line("first name", contact.first_name), checks.line("last name", contact.last_name)
    number = checks.line("mailbox number", contact.mailbox_number, 256)
    if contact.location:
        _refuse_location(connection, contact, number)
    elif number:
        raise Refused(
            f"The mailbox number {number} says nothing without a VPIM location; give one with --location, "
            "or leave the number out."
        )
    display = contact.display_name.strip() or f"{first} {last}".strip() or contact.alias
    return replace(contact, first_name=first, last_name=last, mailbox_number=number, display_name=display)


def _refuse_location(connection: Connection, contact: Contact, number: str) -> None:
    kind = connection.execute(select(t.locations.c.kind).where(t.locations.c.id == contact.location)).scalar()
    if kind != "vpim":
        raise NotFound("There is no such VPIM location; add it first, or leave the location out.")
    if not _NUMBER.match(number):
        raise Refused(
            "A contact at a VPIM location needs the number of its mailbox there; "
            "give digits with --mailbox-number, after a + where they begin with a country code."
        )
    other = connection.execute(
        select(t.contacts.c.id).where(
            t.contacts.c.location_id == contact.location,
            t.contacts.c.mailbox_number == number,
            t.contacts.c.id != contact.id,
        )
    ).scalar()
    if other is not None:
        whose = owner_words(connection, other)
        raise Taken(f"The mailbox {number} at that location belongs to {whose}; change that one instead.")


keeper = EntryKeeper(Contact, KIND, t.contacts, check, columns)
