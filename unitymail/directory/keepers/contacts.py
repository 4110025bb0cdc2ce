"""Contacts: people outside with a name here."""

from __future__ import annotations

from dataclasses import fields, replace

from sqlalchemy import Connection, insert, select, update

from unitymail.directory import addresses, checks, entries
from unitymail.directory.ids import new_id
from unitymail.directory.sql import queries
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import NotFound, Refused, Taken
from unitymail.people.contact import Contact


class Contacts:
    kind = "contact"
    value = Contact

    def all(self, connection: Connection) -> list[Contact]:
        shared = queries.Shared()
        ids = connection.execute(select(t.contacts.c.id)).scalars().all()
        found = [e for where in queries.slices_of(ids) for e in queries.entries(connection, where, shared)]
        return sorted((e for e in found if isinstance(e, Contact)), key=lambda contact: contact.alias)

    def get(self, connection: Connection, id: str) -> Contact | None:
        found = queries.entry(connection, id)
        return found if isinstance(found, Contact) else None

    def named(self, connection: Connection, name: str) -> Contact | None:
        id = queries.id_of_alias(connection, name)
        return self.get(connection, id) if id else None

    def add(self, transaction: Transaction, contact: Contact) -> Contact:
        return self._save(transaction, contact, new=True)

    def replace(self, transaction: Transaction, old: Contact, contact: Contact) -> Contact:
        return self._save(transaction, contact, new=False)

    def _save(self, transaction: Transaction, contact: Contact, *, new: bool) -> Contact:
        connection = transaction.connection
        contact = _checked(connection, contact)
        card = entries.card(
            connection,
            contact.id,
            "contact",
            contact.alias,
            contact.display_name,
            contact.partition,
            contact.extension,
        )
        wish = addresses.wanted(connection, contact.id, primary="", proxies=contact.proxies)
        addresses.refuse_taken(connection, wish)
        id = contact.id or new_id()
        entries.write(transaction, replace(card, id=id), replace(wish, owner=id), new=new)
        values = {
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "location_id": contact.location or None,
            "mailbox_number": contact.mailbox_number,
        }
        if new:
            connection.execute(insert(t.contacts).values(id=id, **values))
        else:
            connection.execute(update(t.contacts).where(t.contacts.c.id == id).values(values))
        transaction.log("contact", id, "added" if new else "changed", contact.alias)
        kept = self.get(connection, id)
        assert kept is not None
        return kept

    def delete(self, transaction: Transaction, contact: Contact) -> None:
        entries.remove(transaction, contact.id, "contact", contact.alias)


def _checked(connection: Connection, contact: Contact) -> Contact:
    for field in fields(contact):
        if field.name in ("first_name", "last_name"):
            checks.line(field.name.replace("_", " "), getattr(contact, field.name))
    number = checks.line("mailbox number", contact.mailbox_number, 256)
    if contact.location:
        _refuse_location(connection, contact, number)
    return replace(
        contact,
        mailbox_number=number,
        display_name=contact.display_name or f"{contact.first_name} {contact.last_name}".strip() or contact.alias,
    )


def _refuse_location(connection: Connection, contact: Contact, number: str) -> None:
    kind = connection.execute(select(t.locations.c.kind).where(t.locations.c.id == contact.location)).scalar()
    if kind != "vpim":
        raise NotFound("There is no such VPIM location; add it first, or leave the location out.")
    if not number or not number.isascii() or not number.isdigit():
        raise Refused("A contact at a VPIM location needs the number of its mailbox there; give digits.")
    other = connection.execute(
        select(t.contacts.c.id).where(
            t.contacts.c.location_id == contact.location,
            t.contacts.c.mailbox_number == number,
            t.contacts.c.id != contact.id,
        )
    ).scalar()
    if other is not None:
        whose = addresses.owner_words(connection, other)
        raise Taken(f"The mailbox {number} at that location belongs to {whose}; change that one instead.")


keeper = Contacts()
