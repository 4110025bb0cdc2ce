"""What is shown of users: the names of the options that set it, and on a user's own page the state of the password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.names import Names
from unitymail.admin.operations.outcome import Facts
from unitymail.admin.operations.spoken_names import seconds_of
from unitymail.interfaces.directory import Credential, IDirectory, IDirectoryView
from unitymail.people import capabilities
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.location import Location
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import User
from unitymail.policy import lockout
from unitymail.policy.passwords import expires_at, is_expired


def user_facts(view: IDirectoryView, user: User, names: Names | None = None) -> Facts:
    """Every option of `user set`, by its name."""
    return {
        "alias": user.alias,
        "address": user.address,
        "display_name": user.display_name,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "extension": user.extension,
        "proxy": list(user.proxies),
        "corporate_address": user.corporate_address,
        **rule_facts(user, names or Names(view)),
        "id": user.id,
    }


def rule_facts(thing: Any, names: Names) -> Facts:
    """What users and templates both have besides names and addresses."""
    return {
        "cos": names.of(ClassOfService, thing.cos),
        "partition": names.of(Partition, thing.partition),
        "scope": names.of(SearchScope, thing.scope),
        "home": names.of(Location, thing.home),
        "action": {f.name: getattr(thing.actions, f.name).value for f in fields(thing.actions)},
        "relay_address": thing.relay_address,
        "quota": {f.name: getattr(thing.quota, f.name) for f in fields(thing.quota)},
        "age_messages": thing.age_messages,
        "route_ndr": thing.route_ndr,
        "delegate": names.aliases(thing.delegates),
        "hide_capability": list(capabilities.hidden(thing.hidden_capabilities)),
        "offer_capability": list(capabilities.given(thing.hidden_capabilities)),
    }


def page(directory: IDirectory, user_named: Callable[[IDirectoryView], User], now: float) -> Facts:
    """All about one user: the facts, which address is of which kind, and why signing in may fail."""
    with directory.read() as view:
        user = user_named(view)
        facts = user_facts(view, user)
        facts["spoken_name"] = seconds_of(view.spoken_name(user.id))
        facts["addresses"] = [{"address": a.address, "kind": a.kind} for a in view.addresses_of(user.id)]
        credential = view.credential(user.id)
        return facts | (_password_facts(credential, view.authentication(), now) if credential else {"password": "none"})


def _password_facts(credential: Credential, rule: AuthenticationRule, now: float) -> Facts:
    """As the doors would judge it at this moment."""
    attempts = credential.attempts
    locked = lockout.is_locked(attempts, rule, now)
    return {
        "password": _state(credential, rule, now),
        "password_changed": _moment(credential.changed_at),
        "password_expires": _moment(expires_at(credential, rule)),
        "scram": credential.scram is not None,
        "locked": locked,
        "locked_until": _end_of_lock(attempts.locked_until) if locked else "",
        "failures": lockout.counted(attempts, rule, now),
        "last_failure": _moment(attempts.last_failure),
    }


def _state(credential: Credential, rule: AuthenticationRule, now: float) -> str:
    if credential.must_change:
        return "must change"
    return "expired" if is_expired(credential, rule, now) else "set"


def _end_of_lock(moment: float) -> str:
    return "unlocked by hand" if moment == lockout.UNTIL_UNLOCKED else _moment(moment)


def _moment(seconds: float) -> str:
    """ISO 8601, UTC; "" for never."""
    return utc(seconds) if seconds else ""


def all_users(directory: IDirectory) -> Iterator[Facts]:
    with directory.read() as view:
        names = Names(view)
        for user in view.all(User):
            yield user_facts(view, user, names)
