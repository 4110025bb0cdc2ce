"""The names that numbers have outside: each family with its kind, its labels and its meaning. Nothing else has names.

Refuses to know who counts. A key of a number is its family's word here, then the values of its labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Key = tuple[str, ...]
"""(word of the family, value of each of its labels)."""

PREFIX = "unitymail_"
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Upper ends of the buckets of what takes time, in seconds: a reply at once, a flush, a slow disk, a time-out."""


@dataclass(frozen=True, slots=True)
class Family:
    """`name` without the prefix, and for counters without `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()


FAMILIES: dict[str, Family] = {
    "connections": Family("connections", "counter", "Connections that were let in.", ("door",)),
    "open": Family("connections_open", "gauge", "Connections that stand now.", ("door",)),
    "turned-away": Family(
        "connections_refused", "counter", "Connections that were refused in place of a greeting.", ("door", "reply")
    ),
    "replies": Family(
        "replies", "counter", "Replies to commands: the SMTP code, or the word of a tagged IMAP response.",
        ("door", "reply"),
    ),
    "sign-ins": Family("sign_ins", "counter", "Sign-ins that ended.", ("door", "mechanism", "outcome")),
    "octets-in": Family("received_bytes", "counter", "Octets that came from clients.", ("door",)),
    "octets-out": Family("sent_bytes", "counter", "Octets that went to clients.", ("door",)),
    "took": Family(
        "answer_seconds", "histogram", "How long answers took that had to wait for something, by verb.",
        ("door", "verb"),
    ),
    "events": Family("events", "counter", "Events of the journal.", ("event",)),
    "messages": Family("messages_accepted", "counter", "Messages that were accepted and are durable."),
    "deliveries": Family("deliveries", "counter", "Messages put into mailboxes, each mailbox counted."),
    "relays": Family("relays", "counter", "Attempts at next hops, each recipient counted.", ("outcome",)),
    "troubles": Family("troubles", "counter", "Times that something went wrong inside; the journal says what."),
    "long-turns": Family("long_turns", "counter", "Turns of a reactor that used more than 10 ms of CPU."),
    "cpu": Family("cpu_seconds", "counter", "CPU time of the node's processes, system and user."),
    "longest-turn": Family("longest_turn_seconds", "gauge", "CPU time of the longest turn of a reactor so far."),
    "memory": Family("resident_bytes", "gauge", "Memory of the node's processes."),
    "processes": Family("processes", "gauge", "Processes of the node: the parent and its workers."),
    "workers": Family("workers", "gauge", "Processes that serve the doors."),
    "queue": Family("queue_messages", "gauge", "Messages that wait to be sent on or delivered."),
    "oldest": Family("queue_oldest_seconds", "gauge", "Age of the oldest message that waits; 0 when none does."),
    "shunted": Family("shunted_messages", "gauge", "Messages put aside because of an error nobody expected."),
    "bad-mail": Family("bad_mail_messages", "gauge", "Messages in the bad mail folder."),
    "free-disk": Family("free_disk_bytes", "gauge", "What is left of the disk for `place`.", ("place",)),
    "certificate": Family(
        "certificate_expires_seconds", "gauge", "When a certificate ends, Unix time.", ("certificate",)
    ),
    "usn": Family("directory_usn", "gauge", "The newest change of the directory that this node took."),
    "since": Family("start_time_seconds", "gauge", "When the node started, Unix time."),
    "version": Family("build_info", "gauge", "The version that runs.", ("version",)),
}  # fmt: skip
MAXIMA = frozenset(("longest-turn",))
"""Gauges whose value for the node is the largest of its processes; others are added up."""
