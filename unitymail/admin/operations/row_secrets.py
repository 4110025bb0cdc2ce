"""Passwords of imported users, judged and hashed in threads: some 60 ms each, and the interpreter is free meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from unitymail.admin.operations.passwords import new_secret
from unitymail.admin.operations.user_rows import Asked
from unitymail.admin.operations.users import changed_user, new_user
from unitymail.interfaces.directory import IDirectoryView, Refused, Secret
from unitymail.interfaces.login import IPasswords
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.user import User

NO_HASH = Secret("")
"""What a dry run makes of a good password."""


@dataclass(frozen=True, slots=True)
class RowSecrets:
    """`update`: rows may name users who are there. `dry_run`: nothing is hashed."""

    passwords: IPasswords
    pool: Executor
    update: bool
    dry_run: bool

    def begin(self, view: IDirectoryView, rows: Sequence[Asked]) -> list[Future[Secret | None] | None]:
        """For each row the secret to be: None for one without a password, and for one that is going to be refused.

        A future of None: the user has that password already. Futures raise Refused for what the rule forbids.
        """
        site, rule = view.site(), view.authentication()
        return [self._begin(view, asked, rule, site.auth_scram) for asked in rows]

    def _begin(
        self, view: IDirectoryView, asked: Asked, rule: AuthenticationRule, scram: bool
    ) -> Future[Secret | None] | None:
        if asked.password is None:
            return None
        before = view.named(User, asked.alias)
        if before is not None and not self.update:
            return None
        try:
            user = new_user(view, asked.alias, asked.wish) if before is None else changed_user(view, before, asked.wish)
        except Refused:
            return None
        present = view.old_passwords(before.id, 1) if before is not None else ()
        return self.pool.submit(self._secret, asked.password, user, rule, scram, present)

    def _secret(
        self, password: bytes, user: User, rule: AuthenticationRule, scram: bool, present: Sequence[str]
    ) -> Secret | None:
        self.passwords.judge(password, user, rule, ())
        try:
            self.passwords.judge(password, user, rule, present)
        except Refused:
            return None
        return NO_HASH if self.dry_run else new_secret(self.passwords, password, user, rule, scram=scram)


class Remembering:
    """A view that looks up each class, partition, scope, template and peer once: thousands of rows name the same."""

    def __init__(self, view: Any) -> None:
        self._view = view
        self._named: dict[tuple[type[Any], str], Any] = {}

    def named(self, kind: type[Any], name: str) -> Any:
        if kind is User:
            return self._view.named(kind, name)
        key = (kind, name)
        if key not in self._named:
            self._named[key] = self._view.named(kind, name)
        return self._named[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)
