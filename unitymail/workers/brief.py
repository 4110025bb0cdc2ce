"""What a worker has to know before it begins: settings as the parent read them, and its descriptors.

The settings travel as values: a file that was edited since does not make one worker unlike the others. Pure.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unitymail.settings.node import TABLES, NodeSettings

MARK, FIRST_SOCKET = 5, 6
"""Descriptors of a worker: 0 ends with the parent, 1 and 2 are outputs, 3 and 4 the line to the parent, 5 its mark."""


@dataclass(frozen=True, slots=True)
class Brief:
    """`berth` is this worker's place. `sockets[i][door]` is the descriptor at which the worker of place i listens.

    `certificates` are those that the node shows, in words of `tls`: half a renewal on the disk keeps no worker out.
    """

    settings: NodeSettings
    berth: int
    sockets: tuple[dict[str, int], ...]
    certificates: tuple[tuple[str, ...], ...] = ()


def written(brief: Brief) -> dict[str, Any]:
    return {
        "settings": asdict(brief.settings), "berth": brief.berth, "sockets": list(brief.sockets),
        "certificates": brief.certificates,
    }  # fmt: skip


def read(facts: dict[str, Any]) -> Brief:
    settings = facts["settings"]
    tables: dict[str, Any] = {name: table(**_values(settings[name])) for name, table in TABLES.items()}
    return Brief(
        NodeSettings(settings["folder"], **tables), facts["berth"], tuple(facts["sockets"]),
        tuple(map(tuple, facts["certificates"])),
    )  # fmt: skip


def _values(table: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}


def numbered(doors: tuple[str, ...], berths: int) -> tuple[dict[str, int], ...]:
    """Which descriptor each door of each berth has in a worker."""
    return tuple(
        {door: FIRST_SOCKET + berth * len(doors) + at for at, door in enumerate(doors)} for berth in range(berths)
    )
