"""Users: adding, changing, deleting, proxy addresses. Passwords are in `passwords`, what is shown in `user_facts`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from unitymail.admin.operations.names import id_of, peer_id, the, user_ids
from unitymail.admin.operations.outcome import Done
from unitymail.admin.operations.passwords import new_secret
from unitymail.admin.operations.user_facts import user_facts
from unitymail.admin.operations.wish import PLAIN, UserWish, changed_actions, changed_quota
from unitymail.interfaces.directory import IDirectory, IDirectoryView, Secret
from unitymail.interfaces.login import IPasswords
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.scope import Partition, SearchScope
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate, filled


def add_user(
    directory: IDirectory, passwords: IPasswords, alias: str, wish: UserWish, password: bytes | None, *, who: str
) -> Done:
    """A new user; without a password nobody can sign in as them (users of another home server need none here)."""
    with directory.read() as view:
        user = _wished(view, _from_template(view, alias, wish), wish)
        site, rule = view.site(), view.authentication()
    secret: Secret | None = None
    if password is not None:
        secret = new_secret(passwords, password, user, rule, scram=site.auth_scram)
    with directory.change(who) as change:
        user = change.add(user)
        if secret is not None:
            change.set_password(user.id, secret)
        return Done(change.usn, user_facts(change, user))


def set_user(
    directory: IDirectory, passwords: IPasswords, alias: str, wish: UserWish, password: bytes | None, *, who: str
) -> Done:
    """Change what the wish names. Given proxies replace the proxy addresses; former ones stay.

    A template gives its rules (class, scope, actions, quotas …), not its names and addresses.
    """
    secret: Secret | None = None
    if password is not None:
        with directory.read() as view:
            user = _wished(view, the(view, User, alias), wish)
            site, rule = view.site(), view.authentication()
            old = view.old_passwords(user.id, rule.history)
        secret = new_secret(passwords, password, user, rule, scram=site.auth_scram, old=old)
    with directory.change(who) as change:
        user = change.replace(_wished(change, _with_rules(change, the(change, User, alias), wish), wish))
        if secret is not None:
            change.set_password(user.id, secret)
        return Done(change.usn, user_facts(change, user))


def delete_user(directory: IDirectory, alias: str, *, who: str) -> Done:
    """Remove the user from the directory. The mailbox stays on disk, under the user's id."""
    with directory.change(who) as change:
        user = the(change, User, alias)
        change.delete(User, user.id)
        return Done(change.usn, {"alias": user.alias, "id": user.id, "deleted": True})


def add_proxy(directory: IDirectory, alias: str, address: str, *, who: str) -> Done:
    with directory.change(who) as change:
        user = the(change, User, alias)
        change.add_proxy(user.id, address)
        return Done(change.usn, user_facts(change, change.get(User, user.id)))


def remove_proxy(directory: IDirectory, alias: str, address: str, *, who: str) -> Done:
    with directory.change(who) as change:
        user = the(change, User, alias)
        change.remove_proxy(user.id, address)
        return Done(change.usn, user_facts(change, change.get(User, user.id)))


def _from_template(view: IDirectoryView, alias: str, wish: UserWish) -> User:
    """The user that the template makes, its tokens filled from the wish."""
    if not wish.template:
        return User("", alias, "")
    template: UserTemplate = the(view, UserTemplate, wish.template)
    values = {
        "Alias": alias,
        "FirstName": wish.first_name or "",
        "LastName": wish.last_name or "",
        "Extension": wish.extension or "",
    }
    display = wish.display_name or filled(template.display_name, values)
    values["DisplayName"] = display
    return User(
        "",
        alias,
        "",
        display_name=display.strip(),
        corporate_address=filled(template.corporate_address, values),
        proxies=tuple(filled(proxy, values) for proxy in template.proxies),
        cos=template.cos,
        partition=template.partition,
        scope=template.scope,
        actions=template.actions,
        relay_address=filled(template.relay_address, values),
        quota=template.quota,
        route_ndr=template.route_ndr,
        hidden_capabilities=template.hidden_capabilities,
    )


RULES = ("cos", "partition", "scope", "actions", "quota", "route_ndr", "hidden_capabilities")


def _with_rules(view: IDirectoryView, user: User, wish: UserWish) -> User:
    """A user who is there already, under the rules of the template that the wish names."""
    if not wish.template:
        return user
    named = replace(wish, first_name=user.first_name, last_name=user.last_name, extension=user.extension)
    made = _from_template(view, user.alias, named)
    given = {name: getattr(made, name) for name in RULES if getattr(made, name) != ""}
    return replace(user, **given, relay_address=made.relay_address or user.relay_address)


def _wished(view: IDirectoryView, user: User, wish: UserWish) -> User:
    """`user` with what the wish names."""
    values: dict[str, Any] = {name: getattr(wish, name) for name in PLAIN if getattr(wish, name) is not None}
    if wish.alias is not None:
        values["alias"] = wish.alias
    for name, kind in (("cos", ClassOfService), ("partition", Partition), ("scope", SearchScope)):
        if getattr(wish, name) is not None:
            values[name] = id_of(view, kind, getattr(wish, name))
    if wish.home is not None:
        values["home"] = peer_id(view, wish.home)
    if wish.proxies is not None:
        values["proxies"] = (*wish.proxies, *_former(view, user))
    if wish.delegates is not None:
        values["delegates"] = user_ids(view, wish.delegates)
    if wish.hidden_capabilities is not None:
        values["hidden_capabilities"] = wish.hidden_capabilities
    return replace(user, **values, actions=changed_actions(user.actions, wish), quota=changed_quota(user.quota, wish))


def _former(view: IDirectoryView, user: User) -> tuple[str, ...]:
    return tuple(a.address for a in view.addresses_of(user.id) if a.kind == "former") if user.id else ()
