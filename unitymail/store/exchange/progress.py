"""How far an import or an export is."""

from __future__ import annotations

from dataclasses import dataclass

BATCH = 50
"""Messages from one Progress to the next."""


@dataclass(frozen=True, slots=True)
class Progress:
    """After some messages of a folder: how many were taken and how many were there already, of how many.

    `withheld` counts those that an export found secure, or withheld from their user: they went without their bodies.
    """

    folder: str
    taken: int
    known: int
    total: int
    withheld: int = 0
