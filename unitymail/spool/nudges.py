"""Nudges: what an administrator's process did to items, left in a folder for the running node to take up.

A nudge is a hint: the envelope files say what is true, a lost nudge costs latency only. Refuses to know what was done.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from unitymail.interfaces.disk import IDisk
from unitymail.spool.places import is_trace, unlink_if_there

RETRIED, RELEASED = "retried", "released"
_ENDING = ".json"


@dataclass(frozen=True, slots=True)
class Nudge:
    """`who` did `what` to the items of `traces`; "" for somebody who is of no interest."""

    who: str
    what: str
    traces: tuple[str, ...]

    def asks_for_a_try(self) -> bool:
        return self.what in (RETRIED, RELEASED)


class Nudges:
    """Any process and thread."""

    def __init__(self, directory: str, disk: IDisk) -> None:
        self._directory = directory
        self._disk = disk

    def leave(self, who: str, what: str, traces: Sequence[str]) -> None:
        """Raises nothing: where there is no room for a hint, none is left."""
        nudge = Nudge(who, what, tuple(traces))
        path = os.path.join(self._directory, secrets.token_hex(8))
        with suppress(OSError):
            fd = self._disk.create(path + ".tmp")
            try:
                self._disk.write(fd, json.dumps(asdict(nudge)).encode("utf-8", "surrogatepass"))
            finally:
                self._disk.close(fd)
            self._disk.rename(path + ".tmp", path + _ENDING)

    def take(self) -> list[Nudge]:
        """All that were left, oldest first; they are gone then. What is no nudge goes, too."""
        paths = [os.path.join(self._directory, name) for name in os.listdir(self._directory)]
        found = []
        for path in sorted((path for path in paths if path.endswith(_ENDING)), key=_age):
            with suppress(OSError, ValueError, KeyError, TypeError):
                with open(path, "rb") as file:
                    found.append(_read(file.read()))
            unlink_if_there(self._disk, path)
        return found


def _read(octets: bytes) -> Nudge:
    form = json.loads(octets)
    return Nudge(str(form["who"]), str(form["what"]), tuple(t for t in form["traces"] if is_trace(t)))


def _age(path: str) -> tuple[float, str]:
    try:
        return os.stat(path).st_mtime, path
    except FileNotFoundError:
        return 0.0, path
