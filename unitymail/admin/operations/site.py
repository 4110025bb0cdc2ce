"""The site settings: shown by key, set all or none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from unitymail.admin.operations.locations import LOCATIONS
from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import IDirectory, IDirectoryView, Refused
from unitymail.settings.site import FIELDS, SiteSettings

SMART_HOST = "smart_host.host"
FILES = ("smart_host.ca_file", "smart_host.password_file")
NAMED = 10


def site_facts(site: SiteSettings) -> Facts:
    """Key → value, every setting there is."""
    return {key: getattr(site, field.name) for key, field in FIELDS.items()}


def show_site(directory: IDirectory) -> Facts:
    with directory.read() as view:
        return site_facts(view.site())


def set_site(directory: IDirectory, assignments: Iterable[str], *, who: str) -> Done:
    """Apply `KEY=VALUE` texts. The facts are the keys that were named, as they are now."""
    pairs = [_pair(text) for text in assignments]
    with directory.change(who) as change:
        facts = site_facts(change.set_site(pairs))
        named = {key: facts[key] for key, _ in pairs}
        cleared = named.get(SMART_HOST) == ""
        return Done(change.usn, named, (*_unread_files(named), *(_without_smart_host(change) if cleared else ())))


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Refused(f"{text!r} is no setting; write KEY=VALUE, as `unitymail site show` prints it.")
    return key.strip(), value.strip()


def _unread_files(named: Facts) -> list[str]:
    """What is wrong with files that were named; they may be put there later, so that this is no refusal."""
    notes = []
    for key in FILES:
        path = named.get(key)
        if not path:
            continue
        if not os.path.isabs(path):
            notes.append(f"{key}: {path} is looked for where the node was started; give the whole path, from / on.")
        elif why := _unreadable(path):
            notes.append(f"{key}: {path} cannot be read now ({why}); mail for the smart host that needs it waits.")
    return notes


def _unreadable(path: str) -> str:
    """Why; "" for a file that can be read."""
    try:
        with open(path, "rb"):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _without_smart_host(view: IDirectoryView) -> tuple[str, ...]:
    """Whose mail cannot leave any more: it is allowed, and senders get a report (5.3.5)."""
    notes = []
    if aliases := view.relaying():
        notes.append(
            f"Messages of {_named(aliases, 'user')} are relayed; without a smart host their senders get a "
            "non-delivery report (5.3.5)."
        )
    if places := [place.name for place in LOCATIONS.all(view) if not place.host and not place.home]:
        notes.append(f"Mail for {_named(places, 'location')} cannot leave without a smart host: none has a host.")
    if view.site().recipient_not_found == "smart-host":
        notes.append("recipient_not_found=smart-host has no effect without a smart host: senders get a report.")
    return tuple(notes)


def _named(names: Sequence[str], what: str) -> str:
    shown = ", ".join(names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)} {what}{'s' if len(names) > 1 else ''} ({shown}{more})"
