"""Founding a node: what `unitymail init` writes. Refuses a folder that holds a node, and leaves nothing half made."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from unitymail.directory import checks
from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.interfaces.directory import Refused
from unitymail.lock import FolderLock, Locked
from unitymail.login.passwords import Passwords
from unitymail.people.user import User
from unitymail.settings.node import BadSettings, read_node, write_node
from unitymail.settings.site import CHAPTER
from unitymail.tls import self_signed

SETTINGS = "unitymail.toml"
DIRECTORY = "directory.sqlite"
LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
FOLDERS = ("tls", "accounts", "spool", "log", "run")
DEMO_PEOPLE = (
    ("robin", "Robin", "Smith", "1041", "robin.smith@example.com"),
    ("chris", "Chris", "Jones", "1042", "chris.jones@example.com"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """`listen` are the keys of the settings file's table of that name."""

    folder: str
    domain: str
    host_name: str
    demo: bool = False
    workers: str = "1"
    listen: Mapping[str, Any] = field(default_factory=dict)


def found(plan: Plan) -> None:
    """Make the node; raises Refused when there is one, or when a name or a place cannot be. The settings come last."""
    text = _settings(plan)
    os.umask(0o077)
    fresh = not os.path.lexists(plan.folder)
    lock = FolderLock(plan.folder)
    try:
        os.makedirs(plan.folder, mode=0o700, exist_ok=True)
        lock.take()
        _make(plan, text, fresh)
    except Locked as locked:
        raise Refused(f"{plan.folder}: {locked}.") from locked
    except OSError as error:
        if fresh:
            with suppress(OSError):
                os.rmdir(plan.folder)
        raise Refused(f"{plan.folder} cannot hold a node: {error.strerror}.") from error
    finally:
        lock.release()


def _make(plan: Plan, text: str, fresh: bool) -> None:
    """Under the lock: fill the folder, or leave it as it was."""
    present = os.listdir(plan.folder)
    if taken := [name for name in (SETTINGS, DIRECTORY) if name in present]:
        raise Refused(f"{plan.folder} holds a node already ({taken[0]}); choose another folder, or remove it first.")
    try:
        _fill(plan, text)
    except BaseException:
        _clear(plan.folder, () if fresh else present)
        if fresh:
            os.rmdir(plan.folder)
        raise


def _settings(plan: Plan) -> str:
    """The text of the settings file, once it is sure that a node could start with it."""
    checks.host("domain", plan.domain)
    text = write_node({"node": {"host_name": plan.host_name, "workers": plan.workers}, "listen": plan.listen})
    try:
        read_node(text, plan.folder)
    except BadSettings as bad:
        raise Refused("\n".join(f"{complaint.words}." for complaint in bad.complaints)) from bad
    return text


def _fill(plan: Plan, text: str) -> None:
    database = Database(os.path.join(plan.folder, DIRECTORY))
    try:
        directory = Directory(database, time.time)
        directory.found(plan.domain, plan.host_name, CHAPTER["demo" if plan.demo else "init"])
        for name in FOLDERS:
            os.makedirs(os.path.join(plan.folder, name), mode=0o700, exist_ok=True)
        certificate, key = self_signed(plan.host_name)
        _write(os.path.join(plan.folder, "tls", "cert.pem"), certificate, 0o644)
        _write(os.path.join(plan.folder, "tls", "key.pem"), key, 0o600)
        if plan.demo:
            _write(os.path.join(plan.folder, "demo-users.txt"), _add_demo_people(directory, plan).encode(), 0o600)
        _write(os.path.join(plan.folder, SETTINGS), text.encode(), 0o640)
    finally:
        database.close()


def _clear(folder: str, present: Collection[str]) -> None:
    """Take away everything but what was there before."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name not in present:
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def _write(path: str, octets: bytes, mode: int) -> None:
    fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())


def _add_demo_people(directory: Directory, plan: Plan) -> str:
    """Two users with fresh passwords; the page that tells how to use them."""
    passwords = {alias: "".join(secrets.choice(LETTERS) for _ in range(12)) for alias, *_ in DEMO_PEOPLE}
    with directory.change("init") as change:
        for alias, first, last, extension, proxy in DEMO_PEOPLE:
            user = change.add(User("", alias, "", f"{first} {last}", first, last, extension))
            change.add_proxy(user.id, proxy)
            change.set_password(user.id, Passwords().secret(passwords[alias].encode(), scram=True))
    return _page(plan, passwords)


def _page(plan: Plan, passwords: Mapping[str, str]) -> str:
    listen = {"smtp": 25, "submission": 587, "submissions": 465, "imap": 143, "imaps": 993, **plan.listen}
    address = str(listen.get("address") or "127.0.0.1")
    host = f"[{address}]" if ":" in address else address
    robin, chris = passwords["robin"], passwords["chris"]
    return f"""
unitymail is ready. It listens on {host}:
  SMTP {listen["smtp"]}   submission {listen["submission"]} (STARTTLS), {listen["submissions"]} (TLS)   \
IMAP {listen["imap"]} (STARTTLS), {listen["imaps"]} (TLS)

Two users:
  name robin   password {robin}   address robin.smith@example.com
  name chris   password {chris}   address chris.jones@example.com

Outlook, Thunderbird, a phone: add an IMAP account by hand, name and password as above,
  incoming {host} port {listen["imaps"]} SSL/TLS, outgoing {host} port {listen["submission"]} STARTTLS, \
same name and password.
  The certificate is self-signed: accept it once.

Try it at once, from another terminal:
  swaks --server {host}:{listen["submission"]} --tls --auth LOGIN --auth-user robin --auth-password '{robin}' \\
        --from robin.smith@example.com --to chris.jones@example.com
  curl --insecure --user 'chris:{chris}' 'imaps://{host}:{listen["imaps"]}/INBOX;UID=1'

Ctrl-C stops it. Everything is in {plan.folder}.
"""
