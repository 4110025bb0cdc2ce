"""`unitymail badmail`: the messages that nobody can be told about."""

from __future__ import annotations

import click

from unitymail.admin.cli.office import Office, verb
from unitymail.admin.cli.options import YES, confirm
from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.interfaces.spool import BadMailEntry

COLUMNS = ("id", "kept", "sender", "subject", "reason")


@click.group("badmail")
def command() -> None:
    """Mail of unknown senders and mail without a way: look at it, send it back in, or delete it."""


def _facts(entry: BadMailEntry) -> Facts:
    return {
        "id": entry.id,
        "kept": utc(entry.kept),
        "sender": entry.item.envelope.sender or "<>",
        "recipients": [recipient.address for recipient in entry.item.envelope.recipients],
        "subject": entry.item.subject,
        "message_id": entry.item.message_id,
        "category": entry.item.category,
        "size": entry.item.size,
        "reason": entry.reason,
        "path": entry.path,
    }


@verb(command, "list")
def list_(office: Office) -> None:
    """All bad mail, oldest first."""
    office.table([_facts(entry) for entry in office.desk.bad_mail.entries()], COLUMNS)


@verb(command, "show")
@click.argument("id")
def show(office: Office, id: str) -> None:
    """One message: its envelope, why it is here, and its file."""
    office.facts(_facts(office.desk.bad_mail.entry(id)))


@verb(command, "requeue")
@click.argument("id")
def requeue(office: Office, id: str) -> None:
    """Send it back in: it is decided anew, as mail from this node, so that its sender is no reason any more."""
    facts = _facts(office.desk.bad_mail.entry(id))
    office.desk.bad_mail.requeue(id)
    office.say(facts, f"{id} is back in the queue.")


@verb(command, "delete")
@click.argument("id")
@YES
def delete(office: Office, id: str, yes: bool) -> None:
    """Remove it for good; nobody is told."""
    facts = _facts(office.desk.bad_mail.entry(id))
    confirm(f"Delete {id} for good, telling nobody?", yes=yes)
    office.desk.bad_mail.delete(id)
    office.say(facts, f"Deleted {id}.")
