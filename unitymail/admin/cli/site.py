"""`unitymail site`: the rules of the site."""

from __future__ import annotations

import click

from unitymail.admin.cli import output
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations import site
from unitymail.settings.site import write_value


@click.group("site")
def command() -> None:
    """The rules of the site, as KEY=VALUE."""


@verb(command, "show")
def show(office: Office) -> None:
    """Every setting; what is printed can be set back."""
    facts = site.show_site(office.desk.directory)
    if office.json:
        office.facts(facts)
        return
    for key, value in facts.items():
        output.say(f"{key}={write_value(value)}")


@verb(command, "set")
@click.argument("assignments", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(office: Office, assignments: tuple[str, ...]) -> None:
    """Change settings, all or none."""
    done = site.set_site(office.desk.directory, assignments, who=office.desk.who)
    words = "\n".join(f"{key}={write_value(value)}" for key, value in done.facts.items())
    office.done(done, words)
