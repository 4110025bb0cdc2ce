"""What a new directory holds: its identity and the objects that everything else refers to."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select

from unitymail.directory import checks
from unitymail.directory.ids import new_id
from unitymail.directory.keepers import keepers
from unitymail.directory.site import RULE
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Identity, Refused
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService, ImapBodies
from unitymail.people.distribution_list import UNDELIVERABLE, DistributionList
from unitymail.people.scope import Partition, SearchScope


def found(connection: Connection, domain: str, host_name: str, *, who: str, now: float) -> None:
    """Write the identity and the defaults into empty tables; raises Refused when they are not empty."""
    if connection.execute(select(t.identity.c.id)).first() is not None:
        raise Refused("There is a directory here already; use it, or choose another place.")
    identity = Identity(
        checks.host("domain", domain), checks.host("host name", host_name), new_id(), secrets.token_bytes(32), now
    )
    connection.execute(
        insert(t.identity).values(
            id=1,
            domain=identity.domain,
            host_name=identity.host_name,
            node_id=identity.node_id,
            secret=identity.secret,
            created=now,
        )
    )
    connection.execute(insert(t.counters).values(name="usn", value=0))
    _write_rule(connection)
    transaction = Transaction(connection, identity, who, now)
    for thing in (
        ClassOfService("", "Default", access_imap=True, imap_bodies=ImapBodies.ALL),
        Partition("", "Default"),
    ):
        kept = keepers()[type(thing)].add(transaction, thing)
    keepers()[SearchScope].add(transaction, SearchScope("", "Default", (kept.id,)))
    undeliverable = DistributionList("", UNDELIVERABLE, "", "Undeliverable Messages")
    keepers()[DistributionList].add(transaction, undeliverable)
    transaction.flush()


def _write_rule(connection: Connection) -> None:
    rule = AuthenticationRule(id=RULE)
    connection.execute(
        insert(t.authentication_rules).values(
            id=rule.id,
            name=rule.name,
            name_key=rule.name.lower(),
            max_failures=rule.max_failures,
            reset_minutes=rule.reset_minutes,
            lock_minutes=rule.lock_minutes,
            min_length=rule.min_length,
            history=rule.history,
            min_age_minutes=rule.min_age_minutes,
            max_age_days=rule.max_age_days,
            no_trivial=rule.no_trivial,
        )
    )
