"""`unitymail access`: which addresses may connect to the SMTP door."""

from __future__ import annotations

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations import access


@click.group("access")
def command() -> None:
    """The IP access list: exact address before longest network before *; deny wins a draw."""


@verb(command, "list")
def list_(office: Office) -> None:
    """All rules."""
    office.table(access.all_rules(office.desk.directory), ("pattern", "allow", "legacy"))


@verb(command, "add")
@click.argument("pattern")
@click.option("--allow/--deny", default=None, help="Accept connections, or refuse them.")
@click.option("--legacy", is_flag=True, help="Its messages may hold bare CR and LF.")
def add(office: Office, pattern: str, allow: bool | None, legacy: bool) -> None:
    """Add a rule for an address, a network (10.1.0.0/16), 10.1.*.* or *."""
    if allow is None:
        raise click.UsageError("Give --allow or --deny.")
    done = access.add_rule(office.desk.directory, pattern, allow=allow, legacy=legacy, who=office.desk.who)
    office.done(done, f"{'Allowed' if allow else 'Denied'} {done.facts['pattern']}.")


@verb(command, "remove")
@click.argument("pattern")
def remove(office: Office, pattern: str) -> None:
    """Remove the rule for exactly this pattern."""
    done = access.remove_rule(office.desk.directory, pattern, who=office.desk.who)
    office.done(done, f"Removed the rule for {done.facts['pattern']}.")
