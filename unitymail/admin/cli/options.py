"""Options that verbs share, and how what was typed becomes a wish. Refuses to know what a wish is for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

from unitymail.interfaces.directory import Refused

Decorator = Callable[[Any], Any]
Wish = TypeVar("Wish")


def several(name: str, metavar: str, words: str) -> Decorator:
    text = f"{words} Repeat for several; together they replace the present ones, and '' clears them."
    return click.option(name, multiple=True, metavar=metavar, help=text)


def switch(name: str, words: str) -> Decorator:
    """`--fax/--no-fax`; neither says nothing."""
    return click.option(f"--{name}/--no-{name}", default=None, help=words)


def options(*groups: tuple[Decorator, ...]) -> Decorator:
    """All of these options, in this order."""

    def add(function: Any) -> Any:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return add


def wish(kind: type[Wish], given: dict[str, Any]) -> Wish:
    """A wish whose fields have the names of the options; an option of several that was not typed says nothing."""
    values = {}
    for f in fields(kind):  # type: ignore[arg-type]
        value = given.get(f.name)
        if isinstance(value, tuple):
            value = tuple(text for text in value if text) if value else None
        values[f.name] = value
    return kind(**values)


PARTITION = click.option("--partition", metavar="NAME", help="The partition to be found in; Default, unless given.")
FIRST_NAME = click.option("--first-name", metavar="NAME")
LAST_NAME = click.option("--last-name", metavar="NAME")
DISPLAY_NAME = click.option("--display-name", metavar="NAME", help="First and last name, unless given.")
EXTENSION = click.option("--extension", metavar="NUMBER", help="Unique within the partition.")
PROXY = several("--proxy", "ADDRESS", "A further address.")

RULES = (
    PROXY,
    click.option("--cos", metavar="NAME", help="Class of service; Default, unless given."),
    PARTITION,
    click.option("--scope", metavar="NAME", help="The search scope: whom this user can reach."),
    click.option("--home", metavar="SERVER", help="The peer that holds the mailbox; '' is this node."),
    click.option("--corporate-address", metavar="ADDRESS", help="A proxy address too when corporate_proxy is on."),
    switch("route-ndr", "Whether this user gets non-delivery reports."),
    several("--delegate", "ALIAS", "A user who may send as this one."),
    several("--hide-capability", "STRING", "An IMAP capability that this user's programs cannot bear."),
    several("--offer-capability", "STRING", "An IMAP capability that is off for others, such as UIDONLY."),
    click.option("--action", multiple=True, metavar="CATEGORY=ACTION", help="voice, email, fax or receipt = accept, "
                 "reject, relay or accept-and-relay. Repeat for several."),
    click.option("--relay-address", metavar="ADDRESS", help="Where relayed messages go; outside, by the smart host."),
    switch("age-messages", "Whether old messages of this mailbox go by the site's aging rules."),
    click.option("--quota", metavar="LIMITS", help="warning=12M,send=13M,receive=14M; 0 is unlimited."),
)  # fmt: skip
"""What users and templates both have, names apart."""

PASSWORD = (
    click.option("--password-file", type=click.File("rb"), metavar="FILE", help="Read the password from a file."),
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
)


YES = click.option("--yes", is_flag=True, help="Do not ask.")


def confirm(question: str, *, yes: bool) -> None:
    """Go on only when YES was given, or somebody agrees."""
    if yes:
        return
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        raise Refused("Nothing was done: nobody answered the question. With --yes it is not asked.") from None
    if not agreed:
        raise Refused("Nothing was done.")


def change_needed(*given: Any) -> None:
    """Wrong usage when no option says what to change; '' and --no-… say something."""
    if all(value is None or value == () for value in given):
        raise click.UsageError("Nothing was given that is to be changed. --help lists what can be.")


def password(file: Any, stdin: bool, *, needed: bool) -> bytes | None:
    """The password that PASSWORD names, without the line end at its end."""
    if file is not None and stdin:
        raise click.UsageError("Give either --password-file or --password-stdin.")
    if file is None and not stdin:
        if needed:
            raise click.UsageError("Give the password with --password-file FILE or --password-stdin.")
        return None
    text: bytes = file.read() if file is not None else sys.stdin.buffer.read()
    return text.removesuffix(b"\n").removesuffix(b"\r")


class _Recording(click.File):
    """A file to read, or '' for none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return value if value == "" else super().convert(value, param, ctx)


SPOKEN_NAME = click.option(
    "--spoken-name", type=_Recording("rb"), metavar="FILE", help="A recording of the name, at most 20 s; '' removes it."
)
