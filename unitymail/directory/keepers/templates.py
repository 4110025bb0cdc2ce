"""User templates: what a new user gets when nothing else is said. Text may hold tokens, which are checked here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from unitymail.directory import checks, entries
from unitymail.directory.keepers.users import action_columns, must_be_users, quota_columns
from unitymail.directory.named import NamedKeeper
from unitymail.directory.relaying import refuse_loop, refuse_unready, relayed
from unitymail.directory.site import site_of
from unitymail.directory.sql import schema as t
from unitymail.directory.sql.queries import Shared
from unitymail.directory.transaction import Transaction
from unitymail.interfaces.directory import Refused
from unitymail.mail.address import key_of
from unitymail.people.user_template import TOKENS, UserTemplate, tokens_in

_TOKENS_OF_NAMES = ("Alias", "Extension")
_TOKENS_OF_DISPLAY_NAME = tuple(token for token in TOKENS if token != "DisplayName")


def from_row(connection: Connection, row: Row[Any]) -> UserTemplate:
    shared, d = Shared(), t.template_delegates.c
    delegates = select(d.delegate_id).where(d.template_id == row.id).order_by(d.delegate_id)
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
        row.first_name,
        row.last_name,
        row.home_id or "",
        tuple(connection.execute(delegates).scalars().all()),
        row.age_messages,
    )


def columns(thing: UserTemplate) -> dict[str, Any]:
    return {
        "first_name": thing.first_name,
        "last_name": thing.last_name,
        "display_name": thing.display_name,
        "corporate_address": thing.corporate_address,
        "cos_id": thing.cos or None,
        "partition_id": thing.partition or None,
        "scope_id": thing.scope or None,
        "home_id": thing.home or None,
        "relay_address": thing.relay_address,
        "route_ndr": thing.route_ndr,
        "hidden_capabilities": " ".join(thing.hidden_capabilities),
        "proxies": " ".join(thing.proxies),
        "age_messages": thing.age_messages,
        **action_columns(thing),
        **quota_columns(thing),
    }


def check(transaction: Transaction, old: UserTemplate | None, thing: UserTemplate) -> UserTemplate:
    connection = transaction.connection
    for table, id, what in (
        (t.classes_of_service, thing.cos, "class of service"),
        (t.partitions, thing.partition, "partition"),
        (t.scopes, thing.scope, "search scope"),
    ):
        if id:
            entries.must_exist(connection, table, id, what)
    if thing.home:
        entries.domain_of_peer(connection, thing.home)
    must_be_users(connection, thing.delegates)
    quota_columns(thing)
    thing = replace(
        thing,
        first_name=_name("first name", thing.first_name, _TOKENS_OF_NAMES, checks.MAX_NAME),
        last_name=_name("last name", thing.last_name, _TOKENS_OF_NAMES, checks.MAX_NAME),
        display_name=_name("display name", thing.display_name, _TOKENS_OF_DISPLAY_NAME, 255),
        corporate_address=_address("corporate address", thing.corporate_address),
        relay_address=_address("relay address", thing.relay_address),
        proxies=tuple(dict.fromkeys(_address("proxy address", proxy) for proxy in thing.proxies if proxy)),
        hidden_capabilities=tuple(dict.fromkeys(checks.capability(c) for c in thing.hidden_capabilities)),
        delegates=tuple(sorted(set(thing.delegates))),
    )
    _refuse_relay(transaction, old, thing)
    return thing


def write_delegates(transaction: Transaction, thing: UserTemplate) -> None:
    d = t.template_delegates
    transaction.connection.execute(delete(d).where(d.c.template_id == thing.id))
    if thing.delegates:
        rows = [{"template_id": thing.id, "delegate_id": delegate} for delegate in thing.delegates]
        transaction.connection.execute(insert(d), rows)


def _refuse_relay(transaction: Transaction, old: UserTemplate | None, thing: UserTemplate) -> None:
    """As for a user; addresses with tokens are compared as they are written."""
    site = site_of(transaction.connection)
    if old is None or not set(relayed(thing.actions)) <= set(relayed(old.actions)) or not thing.relay_address:
        refuse_unready(thing.actions, thing.relay_address, site, "%Alias%@elsewhere.example")
    if thing.relay_address:
        own = {key_of(address) for address in (transaction.address_of("%Alias%"), *thing.proxies)}
        if site.corporate_proxy:
            own.add(key_of(thing.corporate_address))
        refuse_loop(transaction.connection, own, thing.relay_address, site)


def _name(what: str, text: str, known: tuple[str, ...], limit: int) -> str:
    text = checks.line(what, text, limit)
    _refuse_tokens(what, text, known)
    return text


def _address(what: str, text: str) -> str:
    """An address, once its tokens are filled: with a letter for each it must be one."""
    text = checks.line(what, text, checks.MAX_ADDRESS)
    if text:
        _refuse_tokens(what, text, TOKENS)
        if "@" not in text or " " in text:
            raise Refused(
                f"The {what} {text!r} is no mail address; write it as name@domain, tokens such as %Alias% allowed."
            )
        checks.address(what, _with_letters(text))
    return text


def _with_letters(text: str) -> str:
    for token in TOKENS:
        text = text.replace(f"%{token}%", "x")
    return text


def _refuse_tokens(what: str, text: str, known: tuple[str, ...]) -> None:
    for token in tokens_in(text):
        if token not in known:
            raise Refused(
                f"The {what} {text!r} holds %{token}%, which nothing fills; "
                f"use {', '.join(f'%{name}%' for name in known)}."
            )


keeper = NamedKeeper(UserTemplate, "template", t.user_templates, "template", from_row, columns, check, write_delegates)
