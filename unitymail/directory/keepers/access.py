"""The IP access list. A rule is named by its pattern, kept in one spelling."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select

from unitymail.directory.sql import schema as t
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused
from unitymail.people.access import AccessRule

r = t.access_rules.c


class AccessList:
    kind = "access"
    value = AccessRule

    def all(self, connection: Connection) -> list[AccessRule]:
        query = select(r.pattern, r.allow, r.legacy).order_by(r.pattern)
        return [AccessRule(*row) for row in connection.execute(query)]

    def get(self, connection: Connection, id: str) -> AccessRule | None:
        row = connection.execute(select(r.pattern, r.allow, r.legacy).where(r.pattern == id)).one_or_none()
        return AccessRule(*row) if row is not None else None

    def named(self, connection: Connection, name: str) -> AccessRule | None:
        return self.get(connection, pattern(name))

    def add(self, transaction: Transaction, rule: AccessRule) -> AccessRule:
        """A rule for the same pattern takes the place of the one before."""
        rule = replace(rule, pattern=pattern(rule.pattern))
        known = self.get(transaction.connection, rule.pattern)
        transaction.connection.execute(delete(t.access_rules).where(r.pattern == rule.pattern))
        transaction.connection.execute(
            insert(t.access_rules).values(pattern=rule.pattern, allow=rule.allow, legacy=rule.legacy)
        )
        words = ("allow" if rule.allow else "deny") + (" legacy" if rule.legacy else "")
        transaction.log("access", rule.pattern, "changed" if known else "added", words)
        return rule

    def replace(self, transaction: Transaction, old: AccessRule, rule: AccessRule) -> AccessRule:
        return self.add(transaction, rule)

    def delete(self, transaction: Transaction, rule: AccessRule) -> None:
        transaction.connection.execute(delete(t.access_rules).where(r.pattern == rule.pattern))
        transaction.log_deleted("access", rule.pattern, rule.pattern)


def pattern(text: str) -> str:
    """An address, a network as CIDR, `10.1.*.*` or `*`, in one spelling; raises Refused."""
    text = text.strip()
    if text == "*":
        return text
    if "*" in text:
        return _wildcard(text)
    try:
        if "/" in text:
            return str(ipaddress.ip_network(text, strict=False))
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise Refused(
            f"{text!r} is no address pattern; write an address, a network such as 10.1.0.0/16, 10.1.*.* or *."
        ) from error


def _wildcard(text: str) -> str:
    parts = text.split(".")
    stars = parts.index("*") if "*" in parts else 4
    numbers = parts[:stars]
    if (
        len(parts) != 4
        or any(part != "*" for part in parts[stars:])
        or any(not (n.isascii() and n.isdigit() and int(n) <= 255) for n in numbers)
    ):
        raise Refused(
            f"{text!r} is no address pattern; stars stand for the last numbers of an IPv4 address, as 10.1.*.*."
        )
    return ".".join([*(str(int(n)) for n in numbers), *parts[stars:]])


keeper = AccessList()
