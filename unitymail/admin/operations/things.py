"""What can be done with any kind of thing that has a name: add, change, delete, show, list.

What differs from kind to kind is in its `Kind`, one file each; refuses to know more of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from unitymail.admin.operations.names import Names, the
from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import IDirectory, IDirectoryChange, IDirectoryView


class Kind:
    """How one kind is made of a wish and shown. `label` is the field that names it: `name` or `alias`."""

    value: type[Any]
    label = "name"

    def named(self, view: IDirectoryView, name: str) -> Any:
        """The one of this name; raises NotFound."""
        return the(view, self.value, name)

    def fresh(self, name: str) -> Any:
        """One of which nothing is known but its name."""
        return self.value("", name)

    def wished(self, view: IDirectoryView, thing: Any, wish: Any) -> Any:
        """`thing` with what the wish says."""
        raise NotImplementedError

    def facts(self, view: IDirectoryView, thing: Any, names: Names) -> Facts:
        """Every option by its name, and the id."""
        raise NotImplementedError

    def page(self, view: IDirectoryView, thing: Any) -> Facts:
        """What is shown besides of one alone."""
        return {}

    def finish(self, change: IDirectoryChange, thing: Any, wish: Any) -> None:
        """What a wish asks besides the fields of the thing itself."""

    def notes(self, view: IDirectoryView, thing: Any) -> Sequence[str]:
        """What the administrator may not expect of it."""
        return ()

    def all(self, view: IDirectoryView) -> Sequence[Any]:
        return view.all(self.value)


def add(directory: IDirectory, kind: Kind, name: str, wish: Any, *, who: str) -> Done:
    with directory.change(who) as change:
        thing = change.add(kind.wished(change, kind.fresh(name), wish))
        return _finished(change, kind, thing, wish)


def set_(directory: IDirectory, kind: Kind, name: str, wish: Any, *, new_name: str | None = None, who: str) -> Done:
    """Change what the wish names, and its own name to `new_name`."""
    with directory.change(who) as change:
        thing = kind.wished(change, kind.named(change, name), wish)
        if new_name is not None:
            thing = replace(thing, **{kind.label: new_name})
        return _finished(change, kind, change.replace(thing), wish)


def _finished(change: Any, kind: Kind, thing: Any, wish: Any) -> Done:
    kind.finish(change, thing, wish)
    return Done(change.usn, kind.facts(change, thing, Names(change)), tuple(kind.notes(change, thing)))


def delete(directory: IDirectory, kind: Kind, name: str, *, who: str) -> Done:
    with directory.change(who) as change:
        thing = kind.named(change, name)
        change.delete(kind.value, thing.id)
        return Done(change.usn, {kind.label: getattr(thing, kind.label), "deleted": True})


def show(directory: IDirectory, kind: Kind, name: str) -> Facts:
    with directory.read() as view:
        thing = kind.named(view, name)
        return kind.facts(view, thing, Names(view)) | kind.page(view, thing)


def all_of(directory: IDirectory, kind: Kind) -> Iterator[Facts]:
    with directory.read() as view:
        names = Names(view)
        for thing in kind.all(view):
            yield kind.facts(view, thing, names)
