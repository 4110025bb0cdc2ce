"""What can be done with any kind of thing that has a name: add, change, delete, show, list.

What differs from kind to kind is in its `Kind`, one file each; refuses to know more of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from unitymail.admin.operations.names import Names, the
from unitymail.admin.operations.outcome import Done, Facts
from unitymail.interfaces.directory import IDirectory, IDirectoryChange, IDirectoryView

T = TypeVar("T")
W = TypeVar("W")


class Kind(ABC, Generic[T, W]):
    """How one kind, T, is made of a wish, W, and shown. `label` is the field that names it: `name` or `alias`."""

    value: ClassVar[type[Any]]
    label: ClassVar[str] = "name"

    @abstractmethod
    def wished(self, view: IDirectoryView, thing: T, wish: W) -> T:
        """`thing` with what the wish says."""

    @abstractmethod
    def facts(self, view: IDirectoryView, thing: T, names: Names) -> Facts:
        """Every option by its name, and the id."""

    def named(self, view: IDirectoryView, name: str) -> T:
        """The one of this name; raises NotFound."""
        found: T = the(view, self.value, name)
        return found

    def all(self, view: IDirectoryView) -> Sequence[T]:
        return view.all(self.value)

    def fresh(self, name: str) -> T:
        """One of which nothing is known but its name."""
        made: T = self.value("", name)
        return made

    def page(self, view: IDirectoryView, thing: T) -> Facts:
        """What is shown besides of one alone."""
        return {}

    def finish(self, change: IDirectoryChange, thing: T, wish: W) -> None:
        """What a wish asks besides the fields of the thing itself."""

    def notes(self, view: IDirectoryView, thing: T) -> Sequence[str]:
        """What the administrator may not expect of it."""
        return ()


def add(directory: IDirectory, kind: Kind[Any, W], name: str, wish: W, *, who: str) -> Done:
    with directory.change(who) as change:
        thing = change.add(kind.wished(change, kind.fresh(name), wish))
        return _finished(change, kind, thing, wish)


def set_(
    directory: IDirectory, kind: Kind[Any, W], name: str, wish: W, *, new_name: str | None = None, who: str
) -> Done:
    """Change what the wish names, and its own name to `new_name`."""
    with directory.change(who) as change:
        thing = kind.wished(change, kind.named(change, name), wish)
        if new_name is not None:
            thing = replace(thing, **{kind.label: new_name})
        return _finished(change, kind, change.replace(thing), wish)


def _finished(change: Any, kind: Kind[T, W], thing: T, wish: W) -> Done:
    kind.finish(change, thing, wish)
    return Done(change.usn, kind.facts(change, thing, Names(change)), tuple(kind.notes(change, thing)))


def delete(directory: IDirectory, kind: Kind[Any, Any], name: str, *, who: str) -> Done:
    with directory.change(who) as change:
        thing = kind.named(change, name)
        change.delete(kind.value, thing.id)
        return Done(change.usn, {kind.label: getattr(thing, kind.label), "deleted": True})


def show(directory: IDirectory, kind: Kind[Any, Any], name: str) -> Facts:
    with directory.read() as view:
        thing = kind.named(view, name)
        return kind.facts(view, thing, Names(view)) | kind.page(view, thing)


def all_of(directory: IDirectory, kind: Kind[Any, Any]) -> Iterator[Facts]:
    with directory.read() as view:
        names = Names(view)
        for thing in kind.all(view):
            yield kind.facts(view, thing, names)
