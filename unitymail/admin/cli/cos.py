"""`unitymail cos`: classes of service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations import classes
from unitymail.admin.operations.classes import ClassWish
from unitymail.people.class_of_service import ImapBodies, RequireSecure

COLUMNS = ("name", "imap", "imap_bodies", "secure", "secure_imap", "send_to_lists")


@click.group("cos")
def command() -> None:
    """Classes of service: what a group of users may do."""


def _options(function: Callable[..., None]) -> Any:
    for option in (
        click.option("--send-to-lists/--no-send-to-lists", default=None, help="May send to distribution lists."),
        click.option(
            "--secure-imap/--no-secure-imap", default=None, help="May read secure messages by IMAP, over TLS."
        ),
        click.option("--secure", type=click.Choice([s.value for s in RequireSecure]), help="When messages are secure."),
        click.option(
            "--imap-bodies", type=click.Choice([b.value for b in ImapBodies]), help="Which bodies IMAP shows."
        ),
        click.option("--imap/--no-imap", default=None, help="May use IMAP."),
    ):
        function = option(function)
    return function


@verb(command, "add")
@click.argument("name")
@_options
def add(office: Office, name: str, **options: Any) -> None:
    """Add a class; what is not given starts as Unity Connection's (no IMAP)."""
    done = classes.add_class(office.desk.directory, name, ClassWish(**options), who=office.desk.who)
    office.done(done, f"Added the class of service {done.facts['name']}.")


@verb(command, "set")
@click.argument("name")
@_options
def set_(office: Office, name: str, **options: Any) -> None:
    """Change a class; what is not named stays."""
    done = classes.set_class(office.desk.directory, name, ClassWish(**options), who=office.desk.who)
    office.done(done, f"Changed the class of service {done.facts['name']}.")


@verb(command, "show")
@click.argument("name")
def show(office: Office, name: str) -> None:
    """One class."""
    office.facts(classes.show_class(office.desk.directory, name))


@verb(command, "list")
def list_(office: Office) -> None:
    """All classes."""
    office.table(classes.all_classes(office.desk.directory), COLUMNS)


@verb(command, "delete")
@click.argument("name")
def delete(office: Office, name: str) -> None:
    """Delete a class that no user has."""
    done = classes.delete_class(office.desk.directory, name, who=office.desk.who)
    office.done(done, f"Deleted the class of service {done.facts['name']}.")
