"""The commands and capabilities of the door, found by looking into `imap.commands`; and how a command ends.

A command is a coroutine in a module of that package::

    @command("UNSELECT", states=SELECTED)
    async def unselect(session, reader):
        reader.end()
        session.deselect()
        return Done("UNSELECT completed")

    CAPABILITIES = ("UNSELECT",)

One that waits for long returns what `parking` describes instead. A new command or extension is one new file. This
module refuses to know any of them by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

NOT_SIGNED_IN = frozenset({"unauth"})
SIGNED_IN = frozenset({"auth", "select"})
SELECTED = frozenset({"select"})
ANYWHERE = NOT_SIGNED_IN | SIGNED_IN


@dataclass(frozen=True, slots=True)
class Done:
    """The tagged OK: its words, and a response code without brackets (`b"APPENDUID 1 2"`) or empty.

    `after` is called once the tagged response is written (STARTTLS, LOGOUT).
    """

    text: str
    code: bytes = b""
    after: Callable[[], None] | None = None


class No(Exception):
    """The tagged NO: the command was understood and is refused. With `farewell`, BYE with these words follows."""

    def __init__(self, text: str, code: bytes = b"", *, farewell: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.farewell = farewell


class Bad(Exception):
    """The tagged BAD: the command makes no sense. Ten in a row end the connection."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Farewell(Exception):
    """The connection cannot go on: BYE with these words, and no tagged response."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class Gone(Exception):
    """The client is not there any more; the command ends quietly."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the server needs to know of a command besides its coroutine; see `command`."""

    name: str
    run: Callable[..., Awaitable[Any]]
    states: frozenset[str]
    uid: bool = False
    uploads_after: int | None = None
    holds_expunges: bool = False
    polls: bool = False
    by_number: bool = True
    leaves: bool = False


@dataclass(frozen=True, slots=True)
class Capability:
    """A word for CAPABILITY that is only sometimes offered, or that says a value (`APPENDLIMIT=1024`)."""

    word: str
    offered: Callable[[Any], bool]
    value: Callable[[Any], object] | None = None

    def said(self, session: Any) -> str:
        """As CAPABILITY says it."""
        return self.word if self.value is None else f"{self.word}={self.value(session)}"


def command(
    name: str,
    *,
    states: frozenset[str] = SIGNED_IN,
    uid: bool = False,
    uploads_after: int | None = None,
    holds_expunges: bool = False,
    polls: bool = False,
    by_number: bool = True,
    leaves: bool = False,
) -> Callable[[Callable[..., Awaitable[Any]]], Callable[..., Awaitable[Any]]]:
    """Mark a coroutine `(session, reader, *, by_uid)` (`by_uid` only with `uid=True`) as the command `name`.

    uploads_after: literals after this many arguments are not collected but streamed by the command
    (`reader.announced()`, `session.client.octets()`). holds_expunges: no untagged EXPUNGE unless the command came
    with UID (RFC 3501, 7.4.1). polls: look at the disk afterwards, even if that was done a moment ago. by_number:
    without UID it speaks of message sequence numbers, which some clients have given up (RFC 9586). leaves: it may be
    used in a mailbox that somebody deleted.
    """

    def mark(run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        found = Command(name, run, states, uid, uploads_after, holds_expunges, polls, by_number, leaves)
        run.command = found  # type: ignore[attr-defined]
        return run

    return mark


class Registry:
    """All commands and capabilities of the modules given."""

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self._modules = list(modules)
        self._gathered: dict[str, dict[str, Any]] = {}
        self.commands: dict[str, Command] = {}
        self.capabilities: list[Capability] = []
        for module in self._modules:
            for value in vars(module).values():
                found = getattr(value, "command", None)
                if isinstance(found, Command):
                    self._add(found)
            for offer in getattr(module, "CAPABILITIES", ()):
                self.capabilities.append(offer if isinstance(offer, Capability) else Capability(offer, _always))
        self.capabilities.sort(key=lambda offer: (offer.word != "IMAP4rev1", offer.word))
        self.uploads = {
            name: known.uploads_after for name, known in self.commands.items() if known.uploads_after is not None
        }

    def _add(self, found: Command) -> None:
        known = self.commands.setdefault(found.name, found)
        if known is not found:
            raise ValueError(f"two modules implement {found.name}")

    def gathered(self, name: str) -> Mapping[str, Any]:
        """The dictionaries that modules contribute under `name`, in one (STATUS_ITEMS, SELECT_PARAMETERS …)."""
        if name not in self._gathered:
            found = self._gathered[name] = {}
            for module in self._modules:
                found.update(getattr(module, name, {}))
        return self._gathered[name]

    def offered(self, session: Any) -> list[str]:
        """The capability words for this session now; those hidden for the user or the program are left out."""
        hidden = session.hidden_capabilities
        return [c.said(session) for c in self.capabilities if c.word.upper() not in hidden and c.offered(session)]


def _always(session: Any) -> bool:
    return True


def discover() -> Registry:
    """Every module of `imap.commands`."""
    package = import_module("unitymail.imap.commands")
    names = sorted(module.name for module in iter_modules(package.__path__))
    return Registry(import_module(f"unitymail.imap.commands.{name}") for name in names)
