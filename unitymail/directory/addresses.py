"""Who owns which address: an address belongs to one object only.

Knows how the addresses of an object follow from its alias, its proxies and the corporate switch, and settles the table
to that. Refuses to know what else an object holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from unitymail.directory import checks
from unitymail.directory.naming import owner_words
from unitymail.directory.relaying import refuse_relayed
from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import AddressKind, NotFound, OwnedAddress, Refused, Taken
from unitymail.mail.address import key_of

_ORDER: dict[str, int] = {"primary": 0, "proxy": 1, "corporate": 2, "former": 3}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The addresses that an object shall have: key → (spelling, kind)."""

    owner: str
    by_key: dict[str, OwnedAddress]


def owned(connection: Connection, owner: str) -> list[OwnedAddress]:
    """The addresses of an object, the primary one first."""
    query = select(t.addresses.c.address, t.addresses.c.kind).where(t.addresses.c.owner_id == owner)
    found = [OwnedAddress(address, kind) for address, kind in connection.execute(query)]
    return sorted(found, key=lambda a: (_ORDER[a.kind], key_of(a.address)))


def wanted(connection: Connection, owner: str, *, primary: str, proxies: Iterable[str], corporate: str = "") -> Wanted:
    """What the object's addresses become.

    `primary` is "" for contacts. `proxies` may repeat what the object has now: addresses of kind former stay so, and
    one that only the corporate switch made stays only while `corporate` (the address, "" while the switch is off)
    still names it. A primary address given up becomes a former one.
    """
    now = {key_of(a.address): a for a in owned(connection, owner)} if owner else {}
    by_key: dict[str, OwnedAddress] = {}
    if primary:
        by_key[key_of(primary)] = OwnedAddress(primary, "primary")
    if corporate:
        before = now.get(key_of(corporate))
        kind: AddressKind = before.kind if before and before.kind in ("proxy", "former") else "corporate"
        by_key.setdefault(key_of(corporate), OwnedAddress(corporate, kind))
    for address in proxies:
        key, before = key_of(address), now.get(key_of(address))
        if before is None or before.kind == "primary":
            checked = checks.address("proxy address", address)
            by_key.setdefault(key_of(checked), OwnedAddress(checked, "former" if before else "proxy"))
        elif before.kind != "corporate":
            by_key.setdefault(key, before)
    for key, before in now.items():
        if before.kind == "primary":
            by_key.setdefault(key, OwnedAddress(before.address, "former"))
    return Wanted(owner, by_key)


_TAKEN = (
    select(t.addresses.c.address, t.addresses.c.owner_id)
    .where(t.addresses.c.key.in_(bindparam("keys", expanding=True)), t.addresses.c.owner_id != bindparam("owner"))
    .order_by(t.addresses.c.key)
    .limit(1)
)


def refuse_taken(connection: Connection, wish: Wanted) -> None:
    """Raise Taken when another object owns one of the addresses, or somebody else's mail is relayed to it."""
    taken = connection.execute(_TAKEN, {"keys": list(wish.by_key), "owner": wish.owner}).first()
    if taken is not None:
        whose = owner_words(connection, taken.owner_id)
        raise Taken(f"The address {taken.address} belongs to {whose}; remove it there first, or choose another.")
    refuse_relayed(connection, wish.by_key, besides=wish.owner)


def settle(connection: Connection, wish: Wanted, *, new: bool) -> None:
    """Make the table hold exactly what is wanted. Call `refuse_taken` before anything is written."""
    a = t.addresses.c
    now = {} if new else {key_of(one.address): one for one in owned(connection, wish.owner)}
    if gone := [key for key in now if key not in wish.by_key]:
        connection.execute(delete(t.addresses).where(a.key.in_(gone)))
    fresh = []
    for key, address in wish.by_key.items():
        row = {"address": address.address, "kind": address.kind}
        if key not in now:
            fresh.append({"key": key, "owner_id": wish.owner, **row})
        elif now[key] != address:
            connection.execute(update(t.addresses).where(a.key == key).values(row))
    if fresh:
        connection.execute(insert(t.addresses), fresh)


def add_proxy(transaction: Transaction, owner: str, text: str) -> None:
    """One more address; one that the object has as corporate or former becomes a plain proxy address."""
    connection = transaction.connection
    address = checks.address("proxy address", text)
    wish = Wanted(owner, {key_of(address): OwnedAddress(address, "proxy")})
    refuse_taken(connection, wish)
    a = t.addresses.c
    before = connection.execute(select(a.kind).where(a.key == key_of(address))).scalar()
    if before in ("primary", "proxy"):
        return
    if before is None:
        refuse_relayed(connection, wish.by_key)
        row = {"key": key_of(address), "address": address, "owner_id": owner, "kind": "proxy"}
        connection.execute(insert(t.addresses).values(row))
    else:
        connection.execute(update(t.addresses).where(a.key == key_of(address)).values(kind="proxy"))
    _log(transaction, owner, f"added {address}")


def remove_proxy(transaction: Transaction, owner: str, address: str) -> None:
    """Take a proxy or former address away."""
    connection = transaction.connection
    a = t.addresses.c
    query = select(a.kind).where(a.key == key_of(checks.normal(address)), a.owner_id == owner)
    kind = connection.execute(query).scalar()
    if kind is None:
        raise NotFound(f"The address {address} is none of {owner_words(connection, owner)}; nothing to remove.")
    if kind == "primary":
        raise Refused(f"The address {address} is the primary one; it goes with the alias, change that instead.")
    if kind == "corporate":
        raise Refused(f"The address {address} follows from the corporate address; change that instead.")
    connection.execute(delete(t.addresses).where(a.key == key_of(checks.normal(address))))
    _log(transaction, owner, f"removed {address}")


def _log(transaction: Transaction, owner: str, detail: str) -> None:
    kind = transaction.connection.execute(select(t.entries.c.kind).where(t.entries.c.id == owner)).scalar_one()
    transaction.log(kind, owner, "changed", detail)
