"""Values: classes that are only compared, copied and read. Refuses to know what any of them means.

Note *Frozen where it costs nothing*. `dataclass(frozen=True)` pays for its guard with a call for each field of each
instance, six times what the instance costs without. A value is frozen for the type checker, which sees every assignment
in this house; for the few kinds that are made with each message, that is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(made: type[T]) -> type[T]:
    """A dataclass with slots, equality and a hash. Change it with `dataclasses.replace` only."""
    return dataclass(slots=True, unsafe_hash=True)(made)
