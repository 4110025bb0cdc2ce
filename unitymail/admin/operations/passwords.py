"""Passwords of users as administrators set them, and ending a lock. Refuses to know how a password is hashed."""

from __future__ import annotations

from collections.abc import Sequence

from unitymail.admin.operations.names import the
from unitymail.admin.operations.outcome import Done
from unitymail.interfaces.directory import IDirectory, Secret
from unitymail.interfaces.login import IPasswords
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.user import User


def new_secret(
    passwords: IPasswords,
    password: bytes,
    user: User,
    rule: AuthenticationRule,
    *,
    scram: bool,
    old: Sequence[str] = (),
) -> Secret:
    """What is kept of the password, when the rule allows it. Takes tens of milliseconds: hold no transaction."""
    passwords.judge(password, user, rule, old)
    secret: Secret = passwords.secret(password, scram=scram)
    return secret


def set_password(directory: IDirectory, passwords: IPasswords, alias: str, password: bytes, *, who: str) -> Done:
    """Give the user a password; a lock ends. The minimum age binds users, not administrators."""
    with directory.read() as view:
        user = the(view, User, alias)
        site, rule = view.site(), view.authentication()
        old = view.old_passwords(user.id, rule.history)
    secret = new_secret(passwords, password, user, rule, scram=site.auth_scram, old=old)
    with directory.change(who) as change:
        change.set_password(user.id, secret)
        return Done(change.usn, {"alias": user.alias, "password": "changed"})


def unlock(directory: IDirectory, alias: str, *, who: str) -> Done:
    """Forget wrong passwords and end a lock; harmless for a user who is not locked."""
    with directory.change(who) as change:
        user = the(change, User, alias)
        change.unlock(user.id)
        return Done(change.usn, {"alias": user.alias, "locked": False})
