"""The site settings: shown by key, set all or none."""

from __future__ import annotations

from collections.abc import Iterable

from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import IDirectory, Refused
from unitymail.settings.site import FIELDS, SiteSettings


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
        return Done(change.usn, {key: facts[key] for key, _ in pairs})


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise Refused(f"{text!r} is no setting; write KEY=VALUE, as `unitymail site show` prints it.")
    return key.strip(), value.strip()
