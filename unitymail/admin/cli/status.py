"""`unitymail status`: doors, queue, bad mail, peers, disk and certificate at a glance."""

from __future__ import annotations

import click

from unitymail.admin.cli.office import Office, verb


@click.group()
def _alone() -> None:
    pass


@verb(_alone, "status")
def command(office: Office) -> None:
    """Whether the node runs, its doors, queue, bad mail, peers, disk and certificate."""
    office.facts(office.desk.status())
