"""`unitymail cos`: classes of service."""

from __future__ import annotations

import click

from unitymail.admin.cli.options import switch, wish
from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations.classes import CLASSES, ClassWish
from unitymail.people.class_of_service import ImapBodies, RequireSecure


@click.group("cos")
def command() -> None:
    """Classes of service: what a group of users may do."""


Usual(
    command,
    CLASSES,
    ("name", "imap", "imap_bodies", "secure", "secure_imap", "send_to_lists"),
    (
        switch("imap", "May use IMAP."),
        click.option(
            "--imap-bodies", type=click.Choice([b.value for b in ImapBodies]),
            help="Whose bodies IMAP shows; a change gives the messages it concerns new UIDs.",
        ),
        click.option("--secure", type=click.Choice([s.value for s in RequireSecure]), help="When messages are secure."),
        switch("secure-imap", "May read secure messages by IMAP, over TLS."),
        switch("send-to-lists", "May send to distribution lists."),
    ),
    lambda office, given: wish(ClassWish, given),
).all()
