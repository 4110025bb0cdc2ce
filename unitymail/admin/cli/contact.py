"""`unitymail contact`: people outside with a name here."""

from __future__ import annotations

from typing import Any

import click

from unitymail.admin.cli.office import Office
from unitymail.admin.cli.options import (
    DISPLAY_NAME,
    EXTENSION,
    FIRST_NAME,
    LAST_NAME,
    PARTITION,
    PROXY,
    SPOKEN_NAME,
    wish,
)
from unitymail.admin.cli.recording import recorded
from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations.contacts import CONTACTS, ContactWish


@click.group("contact")
def command() -> None:
    """People outside with a name here; at a VPIM location, a voice mailbox on another system."""


def _read(office: Office, given: dict[str, Any]) -> ContactWish:
    return wish(ContactWish, recorded(office, given))


Usual(
    command,
    CONTACTS,
    ("alias", "display_name", "location", "mailbox_number", "address", "extension", "partition"),
    (
        FIRST_NAME,
        LAST_NAME,
        DISPLAY_NAME,
        click.option("--location", metavar="NAME", help="The VPIM location of the mailbox; '' for none."),
        click.option("--mailbox-number", metavar="N", help="The number of the mailbox there."),
        EXTENSION,
        PROXY,
        PARTITION,
        SPOKEN_NAME,
    ),
    _read,
).all()
