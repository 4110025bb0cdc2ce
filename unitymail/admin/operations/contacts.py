"""Contacts: people outside with a name here. With a VPIM location they are a voice mailbox on another system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from unitymail.admin.operations.names import Names, vpim_location
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.spoken_names import seconds_of
from unitymail.admin.operations.things import Kind
from unitymail.admin.operations.wish import references, said
from unitymail.interfaces.directory import IDirectoryChange, IDirectoryView
from unitymail.people.contact import Contact
from unitymail.people.location import Location
from unitymail.people.scope import Partition


@dataclass(frozen=True, slots=True)
class ContactWish:
    """Names, not ids; None is: not said. `spoken_name` is 32KADPCM, b"" for none."""

    first_name: str | None = None
    last_name: str | None = None
    display_name: str | None = None
    location: str | None = None
    mailbox_number: str | None = None
    extension: str | None = None
    proxy: tuple[str, ...] | None = None
    partition: str | None = None
    spoken_name: bytes | None = None


class Contacts(Kind[Contact, ContactWish]):
    value = Contact
    label = "alias"

    def wished(self, view: IDirectoryView, thing: Contact, wish: ContactWish) -> Contact:
        values: dict[str, Any] = said(wish, "first_name", "last_name", "display_name", "mailbox_number", "extension")
        values |= references(view, wish, partition=Partition)
        if wish.location is not None:
            values["location"] = vpim_location(view, wish.location).id if wish.location else ""
        if wish.proxy is not None:
            values["proxies"] = wish.proxy
        if wish.location == "" and wish.mailbox_number is None:
            values["mailbox_number"] = ""
        return replace(thing, **values)

    def facts(self, view: IDirectoryView, thing: Contact, names: Names) -> Facts:
        return {
            "alias": thing.alias,
            "address": address_of(thing, names.one(Location, thing.location)),
            "display_name": thing.display_name,
            "first_name": thing.first_name,
            "last_name": thing.last_name,
            "location": names.of(Location, thing.location),
            "mailbox_number": thing.mailbox_number,
            "extension": thing.extension,
            "proxy": list(thing.proxies),
            "partition": names.of(Partition, thing.partition),
            "id": thing.id,
        }

    def page(self, view: IDirectoryView, thing: Contact) -> Facts:
        return {"spoken_name": seconds_of(view.spoken_name(thing.id)), "handled_as": _handled_as(view, thing)}

    def finish(self, change: IDirectoryChange, thing: Contact, wish: ContactWish) -> None:
        if wish.spoken_name is not None:
            change.set_spoken_name(thing.id, wish.spoken_name)

    def notes(self, view: IDirectoryView, thing: Contact) -> Sequence[str]:
        if thing.location:
            return ()
        return (f"The contact {thing.alias} has no VPIM location: {_handled_as(view, thing)}.",)


def address_of(contact: Contact, location: Location | None) -> str:
    """What to write to: a proxy address, or the number at its location; "" for neither."""
    if contact.proxies:
        return contact.proxies[0]
    return f"{location.remote_prefix}{contact.mailbox_number}@{location.domain}" if location is not None else ""


def _handled_as(view: IDirectoryView, contact: Contact) -> str:
    if contact.location:
        return "a mailbox of its VPIM location"
    if not contact.proxies:
        return "no mail can be sent to it, since it has no proxy address either"
    what = view.site().recipient_not_found
    outcome = "goes to the smart host" if what == "smart-host" else "is reported to the sender as undeliverable"
    return f"mail to it is that of an unknown recipient, and {outcome} (recipient_not_found={what})"


CONTACTS = Contacts()
