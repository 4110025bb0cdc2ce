"""What an action gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]
"""What is shown of an object: option names with `_` → values that JSON knows."""


@dataclass(frozen=True, slots=True)
class Done:
    """`usn` is to be announced to the running processes; `facts` describe the object as it is now.

    `notes` are sentences about what the administrator may not expect of it.
    """

    usn: int
    facts: Facts
    notes: tuple[str, ...] = ()
