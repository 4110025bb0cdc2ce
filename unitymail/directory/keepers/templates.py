"""User templates: what a new user gets when nothing else is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row

from unitymail.directory import checks, entries
from unitymail.directory.keepers.users import RELAYING, action_columns, quota_columns
from unitymail.directory.named import NamedKeeper
from unitymail.directory.sql import schema as t
from unitymail.directory.sql.queries import Shared
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused
from unitymail.people.user_template import UserTemplate


class Templates(NamedKeeper[UserTemplate]):
    def from_row(self, connection: Connection, row: Row[Any]) -> UserTemplate:
        shared = Shared()
        return UserTemplate(
            row.id,
            row.name,
            row.display_name,
            row.corporate_address,
            row.cos_id or "",
            row.partition_id or "",
            row.scope_id or "",
            shared.actions(row.action_voice, row.action_email, row.action_fax, row.action_receipt),
            row.relay_address,
            shared.quota(row.quota_warning, row.quota_send, row.quota_receive),
            row.route_ndr,
            tuple(row.hidden_capabilities.split()),
            tuple(row.proxies.split()),
        )

    def columns(self, thing: UserTemplate) -> dict[str, Any]:
        return {
            "display_name": thing.display_name,
            "corporate_address": thing.corporate_address,
            "cos_id": thing.cos or None,
            "partition_id": thing.partition or None,
            "scope_id": thing.scope or None,
            "relay_address": thing.relay_address,
            "route_ndr": thing.route_ndr,
            "hidden_capabilities": " ".join(thing.hidden_capabilities),
            "proxies": " ".join(thing.proxies),
            **action_columns(thing),
            **quota_columns(thing),
        }

    def check(self, transaction: Transaction, thing: UserTemplate) -> UserTemplate:
        connection = transaction.connection
        for table, id, what in (
            (t.classes_of_service, thing.cos, "class of service"),
            (t.partitions, thing.partition, "partition"),
            (t.scopes, thing.scope, "search scope"),
        ):
            if id:
                entries.must_exist(connection, table, id, what)
        relays = any(action in RELAYING for action in _actions(thing))
        if relays and not thing.relay_address:
            raise Refused("Relaying messages needs a relay address; give one, such as %Alias%@example.com.")
        return replace(
            thing,
            display_name=checks.line("display name", thing.display_name, 255),
            corporate_address=_one_word("corporate address", thing.corporate_address),
            relay_address=_one_word("relay address", thing.relay_address),
            proxies=tuple(_one_word("proxy address", proxy) for proxy in thing.proxies),
            hidden_capabilities=tuple(checks.capability(c) for c in thing.hidden_capabilities),
        )


def _actions(thing: UserTemplate) -> tuple[Any, ...]:
    return (thing.actions.voice, thing.actions.email, thing.actions.fax, thing.actions.receipt)


def _one_word(what: str, text: str) -> str:
    """An address with tokens cannot be checked before they are filled; spaces and line breaks never fit."""
    text = checks.line(what, text, checks.MAX_ADDRESS)
    if text and ("@" not in text or " " in text):
        raise Refused(
            f"The {what} {text!r} is no mail address; write it as name@domain, tokens such as %Alias% allowed."
        )
    return text


keeper = Templates(UserTemplate, "template", t.user_templates, "template")
