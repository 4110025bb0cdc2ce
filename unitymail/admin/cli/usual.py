"""The verbs that most groups have: add, set, show, list and delete of one kind of thing.

Refuses to know any kind: its options, its columns and its `Kind` are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import Decorator, change_needed, options
from unitymail.admin.operations import things
from unitymail.admin.operations.names import WORDS
from unitymail.admin.operations.things import Kind


@dataclass(frozen=True, slots=True)
class Usual:
    """`read` makes a wish of the options that were typed; `columns` are those of the table."""

    group: click.Group
    kind: Kind[Any, Any]
    columns: Sequence[str]
    options: tuple[Decorator, ...] = ()
    read: Callable[[Office, dict[str, Any]], Any] = lambda office, given: None
    needed: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        return WORDS[self.kind.value][0]

    def all(self) -> None:
        """Make the five verbs."""
        self.add()
        self.set()
        self.show()
        self.list()
        self.delete()

    def add(self) -> None:
        @verb(self.group, "add", help=f"Add a {self.what}.")
        @click.argument("name", metavar=self.kind.label.upper())
        @options(self.options)
        def add(office: Office, name: str, **given: Any) -> None:
            if missing := [f"--{option.replace('_', '-')}" for option in self.needed if not given[option]]:
                raise click.UsageError(f"A {self.what} needs {' and '.join(missing)}.")
            done = things.add(office.desk.directory, self.kind, name, self.read(office, given), who=office.desk.who)
            office.done(done, f"Added the {self.what} {done.facts[self.kind.label]}.")

    def set(self) -> None:
        label = self.kind.label

        @verb(self.group, "set", help=f"Change a {self.what}; what is not named stays.")
        @click.argument("name", metavar=label.upper())
        @click.option(f"--{label}", "new_name", metavar="NEW", help=f"The new {label}.")
        @options(self.options)
        def set_(office: Office, name: str, new_name: str | None, **given: Any) -> None:
            change_needed(new_name, *given.values())
            wish, desk = self.read(office, given), office.desk
            done = things.set_(desk.directory, self.kind, name, wish, new_name=new_name, who=desk.who)
            office.done(done, f"Changed the {self.what} {done.facts[label]}.")

    def show(self) -> None:
        @verb(self.group, "show", help=f"All about one {self.what}.")
        @click.argument("name", metavar=self.kind.label.upper())
        def show(office: Office, name: str) -> None:
            office.facts(things.show(office.desk.directory, self.kind, name))

    def list(self) -> None:
        @verb(self.group, "list", help=f"Every {self.what}.")
        def list_(office: Office) -> None:
            office.table(list(things.all_of(office.desk.directory, self.kind)), self.columns)

    def delete(self) -> None:
        @verb(self.group, "delete", help=f"Delete a {self.what} that nothing refers to.")
        @click.argument("name", metavar=self.kind.label.upper())
        def delete(office: Office, name: str) -> None:
            done = things.delete(office.desk.directory, self.kind, name, who=office.desk.who)
            office.done(done, f"Deleted the {self.what} {done.facts[self.kind.label]}.")
