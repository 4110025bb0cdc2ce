"""`unitymail partition`: the parts of the address book."""

from __future__ import annotations

import click

from unitymail.admin.cli.usual import Usual
from unitymail.admin.operations.partitions import PARTITIONS


@click.group("partition")
def command() -> None:
    """Partitions: each user, contact, list and VPIM location is in one; scopes reach partitions."""


_USUAL = Usual(command, PARTITIONS, ("name", "reached_by"))
_USUAL.add()
_USUAL.list()
_USUAL.delete()
