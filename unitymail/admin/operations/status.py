"""What `unitymail status` shows, from facts that were gathered: one object for programs, and what needs attention.

Knows what an administrator should do something about; refuses to know how any of it was found out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.outcome import Facts
from unitymail.people.location import Location

LITTLE_DISK = 512 * 1024 * 1024
"""Octets; one message of a site may have 1 GB, and SQLite wants room of its own."""
SILENT_S = 60
"""A node that runs writes its notice every ten seconds."""
COUNTED_AS = {"smtp": "mta"}
"""Key of the table [listen] → what the door's connections are counted under, where that differs."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of ours, as it lies on the disk.

    `days` are whole days until it ends, `warning` what to do about it, "" for nothing; `fingerprint` names it.
    """

    names: tuple[str, ...]
    file: str
    ends: float
    days: int
    warning: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found. `told` is what the running node last wrote of itself, {} when it is down, at `told_at`.

    `own` is the file of the node's own certificate; `flaws` say why those that are not listed cannot be used. `free`
    is octets left by place. `failing` users gave a wrong password within the hour, `locked` are so now.
    Peers are only named: whether they answer takes a connection, which `peer status` makes.
    """

    host: str
    now: float
    pid: int | None
    told: Mapping[str, Any]
    told_at: float | None
    queue: int
    oldest_s: float
    shunted: int
    bad_mail: int
    free: Mapping[str, int]
    usn: int
    own: str
    certificates: Sequence[Certificate]
    flaws: Sequence[str] = ()
    peers: Sequence[Location] = field(default=())
    failing: int = 0
    locked: int = 0


def status(seen: Seen) -> Facts:
    """Everything, with the names that programs know."""
    told, events = seen.told, seen.told.get("events", {})
    own = next((each for each in seen.certificates if each.file == seen.own), None)
    return {
        "running": seen.pid is not None,
        "host": seen.host,
        "pid": seen.pid,
        "version": told.get("version"),
        "since": utc(told["since"]) if "since" in told else None,
        "told_s": max(round(seen.now - seen.told_at), 0) if told and seen.told_at is not None else None,
        "doors": told.get("doors", {}),
        "connections": _connections(told),
        "metrics": told.get("metrics"),
        "workers": [worker | {"since": utc(worker["since"])} for worker in told.get("workers", [])],
        "queue": seen.queue,
        "queue_oldest_s": round(seen.oldest_s),
        "shunted": seen.shunted,
        "bad_mail": seen.bad_mail,
        "peers": [{"name": peer.name, "host": peer.host, "port": peer.port} for peer in seen.peers],
        "received": events.get("received", 0),
        "delivered": events.get("delivered", 0),
        "troubles": events.get("trouble", 0),
        "sign_ins": {"failed": told.get("sign_ins_failed", 0), "users_failing": seen.failing, "locked": seen.locked},
        "longest_turn_ms": told.get("longest_turn_ms"),
        "long_turns": told.get("long_turns"),
        "free_disk_mib": seen.free["accounts"] >> 20 if "accounts" in seen.free else None,
        "certificate_expires": utc(own.ends) if own else None,
        "certificate_days": own.days if own else None,
        "certificates": [
            {"names": list(each.names), "file": each.file, "ends": utc(each.ends), "days": each.days,
             "warning": each.warning, "in_use": _in_use(told, each)} for each in seen.certificates
        ],
        "directory_usn": seen.usn,
        "attention": list(attention(seen)),
    }  # fmt: skip


def _in_use(told: Mapping[str, Any], certificate: Certificate) -> bool | None:
    """Whether clients are shown it; None when nobody says."""
    shown = told.get("certificates")
    return None if shown is None else shown.get(certificate.file) == certificate.fingerprint


def _connections(told: Mapping[str, Any]) -> Facts:
    """By door: how many there are, and how many there were since the node started."""
    found = {}
    for door in told.get("doors", {}):
        counted = COUNTED_AS.get(door, door)
        found[door] = {"open": told.get("open", {}).get(counted, 0), "total": told.get("came", {}).get(counted, 0)}
    return found


def attention(seen: Seen) -> Iterator[str]:
    """What somebody should do something about, the gravest first; each says what, and what to do."""
    if seen.pid is None:
        yield "The node does not run. Start it: systemctl start unitymail, or twistd as in the README."
    elif seen.told_at is None:
        yield f"The node (process {seen.pid}) is not ready yet; its log says what it does."
    elif seen.now - seen.told_at > SILENT_S:
        yield (
            f"The node (process {seen.pid}) has said nothing for {in_words(seen.now - seen.told_at)}: "
            "it is stopped, or held up by its disk."
        )
    for flaw in seen.flaws:
        yield f"A certificate cannot be used: {flaw}."
    for each in seen.certificates:
        if each.warning:
            yield f"The certificate for {', '.join(each.names) or each.file}: {each.warning} ({each.file})."
        if seen.pid is not None and _in_use(seen.told, each) is False:
            yield (
                f"The node does not show {each.file} as it is now: have it read it, with systemctl reload unitymail or "
                f"kill -HUP {seen.pid}."
            )
    for place, octets in seen.free.items():
        if octets < LITTLE_DISK:
            yield f"The disk of {place} has {octets >> 20} MiB left: mail is refused when it is full."
    if seen.shunted:
        are = "message is" if seen.shunted == 1 else "messages are"
        yield (
            f"{seen.shunted} {are} put aside in spool/shunted after an error nobody expected; "
            "the .txt beside each says which."
        )
    if restarts := sum(worker.get("restarts", 0) for worker in seen.told.get("workers", [])):
        times = "once" if restarts == 1 else f"{restarts} times"
        yield f"A worker was replaced {times} since the start: the log says how it ended."


def in_words(seconds: float) -> str:
    """A span of time in its two largest units."""
    left = int(seconds)
    found: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count or (unit == "s" and not found):
            found.append(f"{count} {unit}")
    return " ".join(found[:2])
