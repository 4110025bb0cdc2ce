"""Peers: the other nodes of this site, each known by the key of its certificate.

Knows what is asked of a peer and how it is shown; refuses to know how one is reached (`peer_probe`).
"""

from __future__ import annotations

import ipaddress
import itertools
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from unitymail.admin.operations.names import Names
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.things import Kind
from unitymail.admin.operations.wish import said
from unitymail.interfaces.directory import IDirectoryView, NotFound, Refused
from unitymail.interfaces.spool import Item
from unitymail.people.location import Location, LocationKind
from unitymail.routing.steps import HandOver

MOST_COUNTED = 10_000
"""Items of the queue that are read to see how many wait for each peer."""


@dataclass(frozen=True, slots=True)
class Ourselves:
    """This node as a peer of others. `certificate` and `key` are the files that it shows; port 0 is a closed door."""

    host: str
    port: int
    web_port: int
    domain: str
    fingerprint: str
    certificate: str = ""
    key: str = ""

    @property
    def name(self) -> str:
        """What others may call it: the first word of its host name, or of its domain where that says nothing."""
        named = self.domain if self.host == "localhost" or _is_address(self.host) else self.host
        return named.partition(".")[0]

    def command(self) -> str:
        """What to type on another node, to make this one its peer."""
        words = ["unitymail", "peer", "add", self.name, "--host", self.host, "--port", str(self.port)]
        if self.web_port:
            words += ["--web-port", str(self.web_port)]
        return shlex.join([*words, "--domain", self.domain, "--fingerprint", self.fingerprint])

    def facts(self) -> Facts:
        return {
            "name": self.name,
            "host": self.host,
            "port": self.port,
            "web_port": self.web_port,
            "domain": self.domain,
            "fingerprint": self.fingerprint,
            "command": self.command(),
        }

    def notes(self) -> Sequence[str]:
        """What keeps others from using it as it is."""
        notes = []
        if not self.port:
            notes.append("The SMTP door of this node is closed: peers cannot reach it before listen.smtp has a port.")
        if self.host == "localhost":
            notes.append(
                "This node calls itself localhost: for another machine set node.host_name to a name that leads here, "
                "and make a certificate for it."
            )
        return notes


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class PeerWish:
    """None is: not said."""

    host: str | None = None
    port: int | None = None
    web_port: int | None = None
    domain: str | None = None
    fingerprint: str | None = None


class Peers(Kind[Location, PeerWish]):
    value = Location

    def __init__(self, ours: str = "") -> None:
        """`ours` is the fingerprint of this node's own key."""
        self._ours = ours

    def named(self, view: IDirectoryView, name: str) -> Location:
        found: Location | None = view.named(Location, name)
        if found is None:
            raise NotFound(f"There is no peer named {name}; `unitymail peer list` lists them.")
        if found.kind is not LocationKind.PEER:
            raise NotFound(f"{name} is a VPIM location, no peer; `unitymail peer list` lists peers.")
        return found

    def all(self, view: IDirectoryView) -> Sequence[Location]:
        return [place for place in view.all(Location) if place.kind is LocationKind.PEER]

    def fresh(self, name: str) -> Location:
        return Location("", LocationKind.PEER, name, "")

    def wished(self, view: IDirectoryView, thing: Location, wish: PeerWish) -> Location:
        thing = replace(thing, **said(wish))
        thing = replace(
            thing, host=thing.host.strip().strip("[]"), fingerprint=thing.fingerprint.replace(":", "").strip().lower()
        )
        if thing.fingerprint == self._ours:
            raise Refused(
                "That is the fingerprint of this node itself; give the one that `unitymail peer key` prints there."
            )
        if not thing.port:
            raise Refused("A peer needs the port of its SMTP door; give it with --port.")
        return thing

    def facts(self, view: IDirectoryView, thing: Location, names: Names) -> Facts:
        return {"name": thing.name, **{f.name: getattr(thing, f.name) for f in fields(PeerWish)}, "id": thing.id}

    def page(self, view: IDirectoryView, thing: Location) -> Facts:
        places: list[Any] = [place for place in view.all(Location) if place.home == thing.id]
        return {"homed_locations": [place.name for place in places]}


def waiting_for_peers(items: Iterable[Item]) -> Counter[str] | None:
    """How many messages wait for each peer, by its id; None when the queue is too long to be read for that."""
    counts: Counter[str] = Counter()
    for number, item in enumerate(itertools.islice(items, MOST_COUNTED + 1)):
        if number == MOST_COUNTED:
            return None
        waiting = (state.step for state in item.steps if state.outcome is None)
        counts.update({step.peer for step in waiting if isinstance(step, HandOver)})
    return counts
