"""`unitymail user`: people with mailboxes."""

from __future__ import annotations

import os
from typing import Any

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import (
    DISPLAY_NAME,
    EXTENSION,
    FIRST_NAME,
    LAST_NAME,
    PASSWORD,
    RULES,
    SPOKEN_NAME,
    change_needed,
    options,
    password,
    wish,
)
from unitymail.admin.cli.recording import recorded
from unitymail.admin.operations import passwords, user_facts, users
from unitymail.admin.operations.names import the
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.wish import UserWish
from unitymail.people.user import Quota, User
from unitymail.policy.fullness import level_of


@click.group("user")
def command() -> None:
    """People with mailboxes: add, change, list, delete, passwords, proxy addresses."""


_PROFILE = (
    FIRST_NAME,
    LAST_NAME,
    DISPLAY_NAME,
    EXTENSION,
    *RULES,
    click.option("--template", metavar="NAME", help="What is not given comes from this template."),
    SPOKEN_NAME,
)


def _wish(office: Office, given: dict[str, Any]) -> UserWish:
    return wish(UserWish, recorded(office, given))


@verb(command, "add")
@click.argument("alias")
@options(_PROFILE, PASSWORD)
def add(office: Office, alias: str, password_file: Any, password_stdin: bool, **given: Any) -> None:
    """Add a user with a mailbox here, or (with --home) one whose mailbox is on a peer."""
    secret = password(password_file, password_stdin, needed=not given["home"] and not given["template"])
    desk, asked = office.desk, _wish(office, given)
    if secret is None and not users.is_remote(desk.directory, asked):
        raise click.UsageError("Give the password with --password-file FILE or --password-stdin.")
    done = users.add_user(desk.directory, desk.passwords, alias, asked, secret, who=desk.who)
    office.done(done, f"Added {done.facts['alias']} with the address {done.facts['address']}.")


@verb(command, "set")
@click.argument("alias")
@click.option("--alias", "new_alias", metavar="NEW", help="The new alias; the old address stays as a proxy address.")
@options(_PROFILE, PASSWORD)
def set_(
    office: Office, alias: str, new_alias: str | None, password_file: Any, password_stdin: bool, **given: Any
) -> None:
    """Change a user; what is not named stays."""
    change_needed(new_alias, password_file, password_stdin or None, *given.values())
    secret = password(password_file, password_stdin, needed=False)
    asked, desk = _wish(office, {**given, "alias": new_alias}), office.desk
    done = users.set_user(desk.directory, desk.passwords, alias, asked, secret, who=desk.who)
    office.done(done, f"Changed {done.facts['alias']}.")


@verb(command, "show")
@click.argument("alias")
def show(office: Office, alias: str) -> None:
    """All about one user."""
    facts = user_facts.page(office.desk.directory, lambda view: the(view, User, alias), office.desk.now)
    office.facts(facts if facts["home"] else facts | {"mailbox": _mailbox(office, facts)})


def _mailbox(office: Office, facts: Facts) -> Facts:
    """How full it is against the quotas. One that nobody has used yet is not made for this."""
    octets = messages = 0
    if os.path.isdir(office.desk.mailbox_folder(facts["id"])):
        octets, messages = office.desk.store.account(facts["id"]).usage()
    return {"messages": messages, "size": octets, "reached": level_of(octets, Quota(**facts["quota"])).name.lower()}


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
    where = "is on its home server" if done.facts["home"] else f"stays in accounts/{done.facts['id']}"
    office.done(done, f"Deleted {done.facts['alias']}; the mailbox {where}.")


@verb(command, "unlock")
@click.argument("alias")
def unlock(office: Office, alias: str) -> None:
    """Forget wrong passwords and end a lock."""
    done = passwords.unlock(office.desk.directory, alias, who=office.desk.who)
    office.done(done, f"Unlocked {done.facts['alias']}.")


@verb(command, "passwd")
@click.argument("alias")
@options(PASSWORD)
@click.option("--must-change", is_flag=True, help="It is good for nothing but choosing another one.")
def passwd(office: Office, alias: str, password_file: Any, password_stdin: bool, must_change: bool) -> None:
    """Give a user a new password; a lock ends. The minimum age (auth.min_age_minutes) binds users only."""
    secret = password(password_file, password_stdin, needed=True) or b""
    desk = office.desk
    done = passwords.set_password(
        desk.directory, desk.passwords, alias, secret, must_change=must_change, who=desk.who
    )
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
