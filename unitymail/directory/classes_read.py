"""The classes of users, read from the database when they are asked for: for who needs a few, and no book in memory.

Knows the directory as it was at the first question; refuses to follow it.
"""

from __future__ import annotations

from functools import cached_property

from unitymail.interfaces.directory import IDirectory
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.user import User
from unitymail.settings.site import SiteSettings


class ClassesRead:
    """Blocking. Each object is read once."""

    def __init__(self, directory: IDirectory) -> None:
        self._directory = directory
        self._users: dict[str, User | None] = {}
        self._classes: dict[str, ClassOfService | None] = {}

    @cached_property
    def usn(self) -> int:
        with self._directory.read() as view:
            usn: int = view.usn
            return usn

    @cached_property
    def site(self) -> SiteSettings:
        with self._directory.read() as view:
            site: SiteSettings = view.site()
            return site

    def user(self, id: str) -> User | None:
        if id not in self._users:
            with self._directory.read() as view:
                self._users[id] = view.get(User, id)
        return self._users[id]

    def class_of_service(self, id: str) -> ClassOfService | None:
        if id not in self._classes:
            with self._directory.read() as view:
                self._classes[id] = view.get(ClassOfService, id)
        return self._classes[id]
