"""Users: adding, changing, deleting, proxy addresses. Passwords are in `passwords`, what is shown in `user_facts`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from unitymail.admin.operations.names import Names, the
from unitymail.admin.operations.outcome import Done
from unitymail.admin.operations.passwords import new_secret
from unitymail.admin.operations.templates import ruled_by, user_from
from unitymail.admin.operations.user_facts import user_facts
from unitymail.admin.operations.wish import UserWish, profile, said
from unitymail.interfaces.directory import IDirectory, IDirectoryChange, IDirectoryView, Refused, Secret
from unitymail.interfaces.login import IPasswords
from unitymail.mail.address import key_of
from unitymail.people.location import Location
from unitymail.people.user import User
from unitymail.people.user_template import UserTemplate

NO_PASSWORD = "There is no password yet, so nobody can sign in; `unitymail user passwd` sets one."


def add_user(
    directory: IDirectory, passwords: IPasswords, alias: str, wish: UserWish, password: bytes | None, *, who: str
) -> Done:
    """A new user; without a password nobody can sign in as them (users of another home server need none here)."""
    with directory.read() as view:
        user = new_user(view, alias, wish)
        site, rule = view.site(), view.authentication()
    secret: Secret | None = None
    if password is not None:
        secret = new_secret(passwords, password, user, rule, scram=site.auth_scram)
    with directory.change(who) as change:
        user = change.add(user)
        finish(change, user, wish, secret)
        return Done(change.usn, user_facts(change, user), _notes(change, None, user))


def set_user(
    directory: IDirectory, passwords: IPasswords, alias: str, wish: UserWish, password: bytes | None, *, who: str
) -> Done:
    """Change what the wish names. Given proxies replace the proxy addresses; former ones stay.

    A template gives its rules (class, scope, actions, quotas …), not its names and addresses.
    """
    secret: Secret | None = None
    if password is not None:
        with directory.read() as view:
            user = changed_user(view, the(view, User, alias), wish)
            site, rule = view.site(), view.authentication()
            old = view.old_passwords(user.id, rule.history)
        secret = new_secret(passwords, password, user, rule, scram=site.auth_scram, old=old)
    with directory.change(who) as change:
        before = the(change, User, alias)
        user = change.replace(changed_user(change, before, wish))
        finish(change, user, wish, secret)
        return Done(change.usn, user_facts(change, user), _notes(change, before, user))


def finish(change: IDirectoryChange, user: User, wish: UserWish, secret: Secret | None) -> None:
    """What belongs to a user besides the object itself."""
    if secret is not None:
        change.set_password(user.id, secret)
    if wish.spoken_name is not None:
        change.set_spoken_name(user.id, wish.spoken_name)


def delete_user(directory: IDirectory, alias: str, *, who: str) -> Done:
    """Remove the user from the directory. The mailbox stays on disk, under the user's id."""
    with directory.change(who) as change:
        user = the(change, User, alias)
        change.delete(User, user.id)
        return Done(change.usn, {"alias": user.alias, "id": user.id, "home": user.home, "deleted": True})


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


def is_remote(directory: IDirectory, wish: UserWish) -> bool:
    """Whether a new user of this wish would have the mailbox elsewhere, by the wish or by its template."""
    if wish.home is not None or not wish.template:
        return bool(wish.home)
    with directory.read() as view:
        return bool(the(view, UserTemplate, wish.template).home)


def new_user(view: IDirectoryView, alias: str, wish: UserWish) -> User:
    """The user that the wish asks for, not yet in the directory."""
    user = User("", alias, "")
    if wish.template:
        user = user_from(the(view, UserTemplate, wish.template), alias, wish)
    return _wished(view, user, wish)


def changed_user(view: IDirectoryView, user: User, wish: UserWish) -> User:
    """The user as the wish asks for it."""
    if wish.template:
        user = ruled_by(the(view, UserTemplate, wish.template), user, wish)
    return _wished(view, user, wish)


def _wished(view: IDirectoryView, user: User, wish: UserWish) -> User:
    values: dict[str, Any] = said(wish, "alias", "extension")
    if wish.proxy is not None:
        values["proxies"] = _proxies(user, (*wish.proxy, *_former(view, user)))
    user = replace(profile(view, user, wish), **values)
    if user.home and (wish.action or wish.quota or wish.relay_address):
        home = Names(view).of(Location, user.home)
        raise Refused(
            f"The mailbox of {user.alias} is on {home}, which alone applies message actions, relay address and quota; "
            "set them there."
        )
    return user


def _proxies(user: User, asked: Iterable[str]) -> tuple[str, ...]:
    """In the order, and where they are there already in the spelling, that the directory keeps: naming them again in
    another order changes nothing."""
    present = {key_of(address): address for address in user.proxies}
    wanted = {key_of(address): address for address in asked}
    return tuple(present.get(key, wanted[key]) for key in sorted(wanted))


def _former(view: IDirectoryView, user: User) -> tuple[str, ...]:
    return tuple(a.address for a in view.addresses_of(user.id) if a.kind == "former") if user.id else ()


def _notes(view: IDirectoryView, before: User | None, user: User) -> tuple[str, ...]:
    """Moving a user moves no mail."""
    if before is None or before.home == user.home:
        return ()
    names = Names(view)
    if user.home:
        return (
            f"New mail for {user.alias} goes to {names.of(Location, user.home)} now, as {user.address}; the mailbox "
            f"here stays in accounts/{user.id}. To take its mail along, set the home back, `mailbox export` it, and "
            "`mailbox import` it there.",
        )
    note = (
        f"{user.alias} has a mailbox here now, as {user.address}, with default message actions and quota; the old one "
        f"stays on {names.of(Location, before.home)}."
    )
    return (note,) if view.credential(user.id) is not None else (note, NO_PASSWORD)
