"""Classes of service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from unitymail.admin.operations.names import Names
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.things import Kind
from unitymail.admin.operations.wish import said
from unitymail.interfaces.directory import IDirectoryView
from unitymail.people.class_of_service import ClassOfService, ImapBodies, RequireSecure


@dataclass(frozen=True, slots=True)
class ClassWish:
    """None is: not said."""

    imap: bool | None = None
    imap_bodies: str | None = None
    secure: str | None = None
    secure_imap: bool | None = None
    send_to_lists: bool | None = None


class Classes(Kind[ClassOfService, ClassWish]):
    """A new class starts as Unity Connection's: no IMAP, bodies of private messages withheld."""

    value = ClassOfService

    def wished(self, view: IDirectoryView, thing: ClassOfService, wish: ClassWish) -> ClassOfService:
        values: dict[str, Any] = said(wish, "secure_imap", "send_to_lists")
        if wish.imap is not None:
            values["access_imap"] = wish.imap
        if wish.imap_bodies is not None:
            values["imap_bodies"] = ImapBodies(wish.imap_bodies)
        if wish.secure is not None:
            values["secure"] = RequireSecure(wish.secure)
        return replace(thing, **values)

    def facts(self, view: IDirectoryView, thing: ClassOfService, names: Names) -> Facts:
        return {
            "name": thing.name,
            "imap": thing.access_imap,
            "imap_bodies": thing.imap_bodies.value,
            "secure": thing.secure.value,
            "secure_imap": thing.secure_imap,
            "send_to_lists": thing.send_to_lists,
            "id": thing.id,
        }


CLASSES = Classes()
