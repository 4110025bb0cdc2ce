"""Which of several things belongs to the name that a client asks for (RFC 6066 3, RFC 6125 6.4). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
WILDCARD = "*."


class Names(Generic[T]):
    """`find` gives what was entered under the name itself, else under a wildcard for its first label, else None.

    Of two with the same name the first counts.
    """

    __slots__ = ("_exact", "_wild")

    def __init__(self) -> None:
        self._exact: dict[str, T] = {}
        self._wild: dict[str, T] = {}

    def enter(self, names: Iterable[str], value: T) -> None:
        """`names` are DNS names in ASCII; `*.example.com` stands for every name with one label more."""
        for name in map(folded, names):
            if name.startswith(WILDCARD):
                self._wild.setdefault(name.removeprefix(WILDCARD), value)
            else:
                self._exact.setdefault(name, value)

    def find(self, asked: bytes | None) -> T | None:
        """`asked` is what the client sent, whatever that is."""
        if not asked or not asked.isascii():
            return None
        name = folded(asked.decode("ascii"))
        found = self._exact.get(name)
        if found is not None:
            return found
        label, _, rest = name.partition(".")
        return self._wild.get(rest) if label else None


def folded(name: str) -> str:
    """As names are compared: without case, and without the root's dot."""
    return name.lower().removesuffix(".")
