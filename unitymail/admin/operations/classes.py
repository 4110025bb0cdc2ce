"""Classes of service."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from unitymail.admin.operations.names import the
from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import IDirectory, Taken
from unitymail.people.class_of_service import ClassOfService, ImapBodies, RequireSecure


@dataclass(frozen=True, slots=True)
class ClassWish:
    """None is: not said."""

    imap: bool | None = None
    imap_bodies: str | None = None
    secure: str | None = None
    secure_imap: bool | None = None
    send_to_lists: bool | None = None


def class_facts(cos: ClassOfService) -> Facts:
    return {
        "name": cos.name,
        "imap": cos.access_imap,
        "imap_bodies": cos.imap_bodies.value,
        "secure": cos.secure.value,
        "secure_imap": cos.secure_imap,
        "send_to_lists": cos.send_to_lists,
        "id": cos.id,
    }


def add_class(directory: IDirectory, name: str, wish: ClassWish, *, who: str) -> Done:
    """A new class starts as Unity Connection's: no IMAP, bodies of private messages withheld."""
    with directory.change(who) as change:
        if change.named(ClassOfService, name) is not None:
            raise Taken(f"There is a class of service named {name} already; change it with `cos set`.")
        cos = change.add(_wished(ClassOfService("", name), wish))
        return Done(change.usn, class_facts(cos))


def set_class(directory: IDirectory, name: str, wish: ClassWish, *, who: str) -> Done:
    with directory.change(who) as change:
        cos = change.replace(_wished(the(change, ClassOfService, name), wish))
        return Done(change.usn, class_facts(cos))


def delete_class(directory: IDirectory, name: str, *, who: str) -> Done:
    with directory.change(who) as change:
        cos = the(change, ClassOfService, name)
        change.delete(ClassOfService, cos.id)
        return Done(change.usn, {"name": cos.name, "deleted": True})


def show_class(directory: IDirectory, name: str) -> Facts:
    with directory.read() as view:
        return class_facts(the(view, ClassOfService, name))


def all_classes(directory: IDirectory) -> list[Facts]:
    with directory.read() as view:
        return [class_facts(cos) for cos in view.all(ClassOfService)]


def _wished(cos: ClassOfService, wish: ClassWish) -> ClassOfService:
    said = {f.name: getattr(wish, f.name) for f in fields(wish) if getattr(wish, f.name) is not None}
    if "imap" in said:
        said["access_imap"] = said.pop("imap")
    if "imap_bodies" in said:
        said["imap_bodies"] = ImapBodies(said["imap_bodies"])
    if "secure" in said:
        said["secure"] = RequireSecure(said["secure"])
    return replace(cos, **said)
