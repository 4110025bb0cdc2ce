"""`unitymail list`: distribution lists."""

from __future__ import annotations

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import PARTITION, PROXY, several, switch, wish
from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations import lists
from unitymail.admin.operations.lists import LISTS, ListWish


@click.group("list")
def command() -> None:
    """Distribution lists: one address for many members."""


Usual(
    command,
    LISTS,
    ("alias", "address", "display_name", "members", "partition", "allow_contacts", "accept_foreign"),
    (
        click.option("--display-name", metavar="NAME", help="The alias, unless given."),
        several("--member", "ALIAS", "A user, contact or list, by alias or address."),
        PROXY,
        PARTITION,
        switch("allow-contacts", "Whether contacts may be members."),
        switch("accept-foreign", "Whether senders at VPIM locations may write to it."),
    ),
    lambda office, given: wish(ListWish, given),
).all()


@command.group("member")
def member() -> None:
    """Single members of a list."""


@verb(member, "add")
@click.argument("alias")
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
def member_add(office: Office, alias: str, members: tuple[str, ...]) -> None:
    """Add users, contacts or lists, by alias or address, to the list ALIAS."""
    done = lists.add_members(office.desk.directory, alias, members, who=office.desk.who)
    office.done(done, f"The list {done.facts['alias']} has {done.facts['members']} members.")


@verb(member, "remove")
@click.argument("alias")
@click.argument("members", nargs=-1, required=True, metavar="MEMBER...")
def member_remove(office: Office, alias: str, members: tuple[str, ...]) -> None:
    """Take members away from the list ALIAS."""
    done = lists.remove_members(office.desk.directory, alias, members, who=office.desk.who)
    office.done(done, f"The list {done.facts['alias']} has {done.facts['members']} members.")
