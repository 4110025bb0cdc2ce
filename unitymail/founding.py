"""Founding a node: what `unitymail init` writes. Refuses a folder that holds a node, and leaves nothing half made."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unitymail.directory.directory import Directory
from unitymail.directory.sql.database import Database
from unitymail.interfaces.directory import Refused
from unitymail.login.passwords import Passwords
from unitymail.people.user import User
from unitymail.settings.node import write_node
from unitymail.settings.site import CHAPTER
from unitymail.tls import self_signed

SETTINGS = "unitymail.toml"
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
    """Make the node; raises Refused when there is one, or when a name cannot be. The settings file comes last."""
    settings = os.path.join(plan.folder, SETTINGS)
    taken = [name for name in (SETTINGS, "directory.sqlite") if os.path.exists(os.path.join(plan.folder, name))]
    if taken:
        raise Refused(f"{plan.folder} holds a node already ({taken[0]}); choose another folder, or remove it first.")
    os.umask(0o077)
    os.makedirs(plan.folder, mode=0o700, exist_ok=True)
    database = Database(os.path.join(plan.folder, "directory.sqlite"))
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
        node = {"host_name": plan.host_name, "workers": plan.workers}
        _write(settings, write_node({"node": node, "listen": plan.listen}).encode(), 0o640)
    except BaseException:
        database.close()
        for name in ("directory.sqlite", "directory.sqlite-wal", "directory.sqlite-shm"):
            if os.path.exists(os.path.join(plan.folder, name)):
                os.unlink(os.path.join(plan.folder, name))
        raise
    database.close()


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
    host = listen.get("address") or "127.0.0.1"
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
