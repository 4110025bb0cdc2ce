"""Bad mail: messages that nobody can be told about, kept for an administrator with the reason and their envelope.

TRACE.eml is one more name of the message, TRACE.toml says why it is here. Any process may work on the folder.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from zope.interface import implementer

from unitymail.interfaces.disk import IDisk
from unitymail.interfaces.spool import BadMailEntry, Busy, IBadMail, Item, NoSuchBadMail
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.spool.claim import try_lock, unlock
from unitymail.spool.items import Items
from unitymail.spool.nudges import Nudges
from unitymail.spool.places import Places, is_trace, traces_in, unlink_if_there

_FACTS = (
    "trace", "arrived", "category", "sensitivity", "secure", "subject", "message_id", "origin_user", "size", "head",
    "name", "sha256", "silent",
)
_NEWER_FACTS = ("malformed",)
"""Entries of earlier versions do not say these."""


@implementer(IBadMail)
class BadMailFolder:
    """`root` is DIR/spool, as for the Spool. `now` gives Unix seconds. `who` sends mail back in, "" for the node."""

    def __init__(self, root: str, *, disk: IDisk, now: Callable[[], float], who: str = "") -> None:
        self._places = Places(root)
        self._places.make(disk)
        self._disk = disk
        self._now = now
        self._who = who
        self._items = Items(self._places, disk)
        self._nudges = Nudges(self._places.nudges, disk)

    def keep(self, item: Item, reason: str) -> None:
        with suppress(FileExistsError):
            self._disk.link(item.path, self._path(item.trace, ".eml"))
        self._write(self._path(item.trace, ".toml"), write_entry(item, reason, self._now()))
        self._disk.flush_directory(self._places.badmail)

    def _write(self, path: str, octets: bytes) -> None:
        temporary = path + ".tmp"
        unlink_if_there(self._disk, temporary)
        fd = self._disk.create(temporary)
        try:
            self._disk.write(fd, octets)
            self._disk.flush(fd)
        finally:
            self._disk.close(fd)
        self._disk.rename(temporary, path)

    def entries(self) -> list[BadMailEntry]:
        found = []
        for id in traces_in(self._places.badmail, ".toml"):
            with suppress(NoSuchBadMail):
                found.append(self.entry(id))
        return sorted(found, key=lambda entry: (entry.kept, entry.id))

    def entry(self, id: str) -> BadMailEntry:
        if not is_trace(id):
            raise NoSuchBadMail(why=f"{id!r} is no id of bad mail")
        try:
            with open(self._path(id, ".toml"), "rb") as file:
                return read_entry(tomllib.load(file), id, self._path(id, ".eml"))
        except FileNotFoundError as error:
            raise NoSuchBadMail(why=f"there is no bad mail {id}; `unitymail badmail list` lists it") from error
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise NoSuchBadMail(why=f"the bad mail {id} cannot be read: {error}") from error

    def requeue(self, id: str) -> None:
        with self._alone(id):
            entry = self.entry(id)
            trace = entry.item.trace
            self._see_that_it_left(trace)
            # What a crashed node noted of an item with this trace before is not meant for this one.
            revision = int(self._now())
            self._items.bring_in(replace(entry.item, steps=(), revision=revision), entry.path)
            self._disk.flush_directory(self._places.items)
            self._remove(id)
        self._nudges.leave(self._who, "requeue from bad mail", [trace])

    @contextmanager
    def _alone(self, id: str) -> Iterator[None]:
        """While one works on an entry no other does; the lock ends with its process."""
        self.entry(id)
        try:
            fd = try_lock(self._path(id, ".toml"))
        except FileNotFoundError:
            fd = None
        if fd is None:
            raise Busy(why=f"another is working on the bad mail {id}; see `unitymail badmail list` what came of it")
        try:
            yield
        finally:
            unlock(fd)

    def _see_that_it_left(self, trace: str) -> None:
        """Its item may still wait for other recipients, or be on its way out: whoever has it goes by these names."""
        if self._items.is_half_in(trace):  # by one of us who is dead: we are alone
            self._items.take_out(trace)
        if any(map(os.path.lexists, (self._items.message_path(trace), self._items.envelope_path(trace)))):
            raise Busy(
                why=f"{trace} has not left the queue yet; try again when the running node is done with it"
                f" (`unitymail queue list` lists what waits)"
            )

    def delete(self, id: str) -> None:
        with self._alone(id):
            self._remove(id)

    def _remove(self, id: str) -> None:
        unlink_if_there(self._disk, self._path(id, ".toml"))
        unlink_if_there(self._disk, self._path(id, ".eml"))
        self._disk.flush_directory(self._places.badmail)

    def _path(self, id: str, ending: str) -> str:
        return os.path.join(self._places.badmail, id + ending)


def write_entry(item: Item, reason: str, kept: float) -> bytes:
    envelope = item.envelope
    lines = [f"reason = {_value(reason)}", f"kept = {_value(float(kept))}", ""]
    lines += [f"{name} = {_value(getattr(item, name))}" for name in (*_FACTS, *_NEWER_FACTS)]
    lines += ["", "[envelope]"]
    for name in ("sender", "body", "smtputf8", "ret", "envid", "require_tls"):
        if (value := getattr(envelope, name)) is not None:
            lines.append(f"{name} = {_value(value)}")
    if envelope.priority:
        lines.append(f"priority = {envelope.priority}")
    for recipient in envelope.recipients:
        lines += ["", "[[recipients]]", f"address = {_value(recipient.address)}"]
        if recipient.notify is not None:
            lines.append(f"notify = [{', '.join(map(_value, sorted(recipient.notify)))}]")
        if recipient.orcpt is not None:
            lines.append(f"orcpt = {_value(recipient.orcpt)}")
    return ("\n".join(lines) + "\n").encode()


def _value(value: str | bool | int | float) -> str:
    if isinstance(value, str):
        clean = value.encode("utf-8", "replace").decode()
        return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)


def read_entry(form: dict[str, Any], id: str, path: str) -> BadMailEntry:
    recipients = tuple(
        Recipient(row["address"], frozenset(row["notify"]) if "notify" in row else None, row.get("orcpt"))
        for row in form.get("recipients", [])
    )
    envelope = Envelope(recipients=recipients, **form["envelope"])
    facts = {name: form[name] for name in _FACTS} | {name: form[name] for name in _NEWER_FACTS if name in form}
    item = Item(path=path, envelope=envelope, steps=(), priority=envelope.priority, **facts)
    return BadMailEntry(id, path, form["reason"], form["kept"], item)
