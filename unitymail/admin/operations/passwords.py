"""Passwords of users as administrators and users set them, and ending a lock. Refuses to know how one is hashed.

Note *Whose change* (`policy/passwords`). Length, history and triviality bind everybody; the minimum age binds the user.
"""

from __future__ import annotations

from collections.abc import Sequence

from unitymail.admin.operations.moments import utc
from unitymail.admin.operations.names import the
from unitymail.admin.operations.outcome import Done
from unitymail.interfaces.directory import IDirectory, Refused, Secret
from unitymail.interfaces.login import IPasswords
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.user import User
from unitymail.policy.lockout import is_locked
from unitymail.policy.passwords import may_change_at

NOT_YET = "No mail program can sign in with it until the user has changed it."


def new_secret(
    passwords: IPasswords,
    password: bytes,
    user: User,
    rule: AuthenticationRule,
    *,
    scram: bool,
    old: Sequence[str] = (),
    must_change: bool = False,
) -> Secret:
    """What is kept of the password, when the rule allows it. Takes tens of milliseconds: hold no transaction."""
    passwords.judge(password, user, rule, old)
    secret: Secret = passwords.secret(password, scram=scram, must_change=must_change)
    return secret


def set_password(
    directory: IDirectory, passwords: IPasswords, alias: str, password: bytes, *, must_change: bool = False, who: str
) -> Done:
    """An administrator gives the user a password; a lock ends. Exempt from the minimum age."""
    with directory.read() as view:
        user = the(view, User, alias)
        site, rule = view.site(), view.authentication()
        old = view.old_passwords(user.id, rule.history)
    secret = new_secret(passwords, password, user, rule, scram=site.auth_scram, old=old, must_change=must_change)
    with directory.change(who) as change:
        change.set_password(user.id, secret)
        facts = {"alias": user.alias, "password": "must change" if must_change else "changed"}
        return Done(change.usn, facts, (NOT_YET,) if must_change else ())


def change_own_password(
    directory: IDirectory, passwords: IPasswords, alias: str, password: bytes, *, now: float
) -> Done:
    """A user changes the own password, having shown the present one to whoever calls. A lock is not ended by it.

    Refused while the present one is younger than the minimum age, unless it must be changed or has expired.
    """
    with directory.read() as view:
        user = the(view, User, alias)
        site, rule = view.site(), view.authentication()
        credential, old = view.credential(user.id), view.old_passwords(user.id, rule.history)
    if credential is None:
        raise Refused("There is no password to be changed; an administrator sets the first one.")
    if is_locked(credential.attempts, rule, now):
        raise Refused("The account is locked; ask an administrator to unlock it.")
    if again := may_change_at(credential, rule, now):
        raise Refused(f"The password was changed a short while ago; it can be changed again at {utc(again)}.")
    secret = new_secret(passwords, password, user, rule, scram=site.auth_scram, old=old)
    with directory.change(user.alias) as change:
        if change.credential(user.id) != credential:
            raise Refused("The password or its count of failures changed in this moment; try again.")
        change.set_password(user.id, secret)
        return Done(change.usn, {"alias": user.alias, "password": "changed"})


def unlock(directory: IDirectory, alias: str, *, who: str) -> Done:
    """Forget wrong passwords and end a lock; harmless for a user who is not locked."""
    with directory.change(who) as change:
        user = the(change, User, alias)
        change.unlock(user.id)
        return Done(change.usn, {"alias": user.alias, "locked": False})
