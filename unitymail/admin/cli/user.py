"""`unitymail user`: people with mailboxes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations import passwords, user_facts, users
from unitymail.admin.operations.names import the
from unitymail.admin.operations.wish import UserWish, read_actions, read_quota
from unitymail.people.user import User


@click.group("user")
def command() -> None:
    """People with mailboxes: add, change, list, delete, passwords, proxy addresses."""


def _several(name: str, metavar: str, words: str) -> Callable[[Any], Any]:
    text = f"{words} Repeat for several; together they replace the present ones, and '' clears them."
    return click.option(name, multiple=True, metavar=metavar, help=text)


_PROFILE = (
    click.option("--first-name", metavar="NAME"),
    click.option("--last-name", metavar="NAME"),
    click.option("--display-name", metavar="NAME", help="First and last name, unless given."),
    click.option("--extension", metavar="NUMBER", help="Unique within the partition."),
    _several("--proxy", "ADDRESS", "A further address of this user."),
    click.option("--cos", metavar="NAME", help="Class of service; Default, unless given."),
    click.option("--partition", metavar="NAME", help="The partition to be found in."),
    click.option("--scope", metavar="NAME", help="The search scope: whom this user can reach."),
    click.option("--home", metavar="SERVER", help="The peer that holds the mailbox; '' is this node."),
    click.option("--corporate-address", metavar="ADDRESS", help="A proxy address too when corporate_proxy is on."),
    click.option("--template", metavar="NAME", help="What is not given comes from this template."),
    click.option("--route-ndr/--no-route-ndr", default=None, help="Whether this user gets non-delivery reports."),
    _several("--delegate", "ALIAS", "A user who may send as this one."),
    _several("--hide-capability", "STRING", "An IMAP capability that this user's programs cannot bear."),
    click.option("--action", multiple=True, metavar="CATEGORY=ACTION", help="voice, email, fax or receipt = accept, "
                 "reject, relay or accept-and-relay. Repeat for several."),
    click.option("--relay-address", metavar="ADDRESS", help="Where relayed messages go."),
    click.option("--quota", metavar="LIMITS", help="warning=12M,send=13M,receive=14M; 0 is unlimited."),
)  # fmt: skip

_PASSWORD = (
    click.option("--password-file", type=click.File("rb"), metavar="FILE", help="Read the password from a file."),
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
)


def _options(*groups: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def add(function: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return add


def _wish(options: dict[str, Any]) -> UserWish:
    lists = {"proxy": "proxies", "delegate": "delegates", "hide_capability": "hidden_capabilities"}
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name in lists:
            values[lists[name]] = tuple(text for text in value if text) if value else None
        elif name == "action":
            values["actions"] = read_actions(value) if value else None
        elif name == "quota":
            values["quota"] = read_quota(value) if value is not None else None
        else:
            values[name] = value
    return UserWish(**values)


def _password(file: Any, stdin: bool, *, needed: bool) -> bytes | None:
    if file is not None and stdin:
        raise click.UsageError("Give either --password-file or --password-stdin.")
    if file is None and not stdin:
        if needed:
            raise click.UsageError("Give the password with --password-file FILE or --password-stdin.")
        return None
    text: bytes = file.read() if file is not None else sys.stdin.buffer.read()
    return text.removesuffix(b"\n").removesuffix(b"\r")


@verb(command, "add")
@click.argument("alias")
@_options(_PROFILE, _PASSWORD)
def add(office: Office, alias: str, password_file: Any, password_stdin: bool, **options: Any) -> None:
    """Add a user with a mailbox here, or (with --home) one whose mailbox is on a peer."""
    password = _password(password_file, password_stdin, needed=not options["home"])
    desk = office.desk
    done = users.add_user(desk.directory, desk.passwords, alias, _wish(options), password, who=desk.who)
    office.done(done, f"Added {done.facts['alias']} with the address {done.facts['address']}.")


@verb(command, "set")
@click.argument("alias")
@click.option("--alias", "new_alias", metavar="NEW", help="The new alias; the old address stays as a proxy address.")
@_options(_PROFILE, _PASSWORD)
def set_(
    office: Office, alias: str, new_alias: str | None, password_file: Any, password_stdin: bool, **options: Any
) -> None:
    """Change a user; what is not named stays."""
    password = _password(password_file, password_stdin, needed=False)
    wish, desk = _wish({**options, "alias": new_alias}), office.desk
    done = users.set_user(desk.directory, desk.passwords, alias, wish, password, who=desk.who)
    office.done(done, f"Changed {done.facts['alias']}.")


@verb(command, "show")
@click.argument("alias")
def show(office: Office, alias: str) -> None:
    """All about one user."""
    office.facts(user_facts.page(office.desk.directory, lambda view: the(view, User, alias), office.desk.now))


@verb(command, "list")
def list_(office: Office) -> None:
    """All users."""
    rows = list(user_facts.all_users(office.desk.directory))
    office.table(rows, ("alias", "address", "display_name", "extension", "cos", "home"))


@verb(command, "delete")
@click.argument("alias")
def delete(office: Office, alias: str) -> None:
    """Delete a user. The mailbox stays on disk, under the user's id."""
    done = users.delete_user(office.desk.directory, alias, who=office.desk.who)
    office.done(done, f"Deleted {done.facts['alias']}; the mailbox stays in accounts/{done.facts['id']}.")


@verb(command, "unlock")
@click.argument("alias")
def unlock(office: Office, alias: str) -> None:
    """Forget wrong passwords and end a lock."""
    done = passwords.unlock(office.desk.directory, alias, who=office.desk.who)
    office.done(done, f"Unlocked {done.facts['alias']}.")


@verb(command, "passwd")
@click.argument("alias")
@_options(_PASSWORD)
def passwd(office: Office, alias: str, password_file: Any, password_stdin: bool) -> None:
    """Give a user a new password; a lock ends."""
    password = _password(password_file, password_stdin, needed=True) or b""
    desk = office.desk
    done = passwords.set_password(desk.directory, desk.passwords, alias, password, who=desk.who)
    office.done(done, f"Changed the password of {done.facts['alias']}.")


@command.group("proxy")
def proxy() -> None:
    """Further addresses of a user."""


@verb(proxy, "add")
@click.argument("alias")
@click.argument("address")
def proxy_add(office: Office, alias: str, address: str) -> None:
    """Give a user one more address."""
    done = users.add_proxy(office.desk.directory, alias, address, who=office.desk.who)
    office.done(done, f"{address} reaches {done.facts['alias']}.")


@verb(proxy, "remove")
@click.argument("alias")
@click.argument("address")
def proxy_remove(office: Office, alias: str, address: str) -> None:
    """Take an address away from a user."""
    done = users.remove_proxy(office.desk.directory, alias, address, who=office.desk.who)
    office.done(done, f"{address} no longer reaches {done.facts['alias']}.")
