"""The command `unitymail`: opens a node's things for the verbs in `admin/cli`, and founds nodes.

Works beside a running node: what it changes is on disk, and the running processes are told.
"""

from __future__ import annotations

import getpass
import os
import time
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import click

from unitymail import certificates, founding, lock, notice, standing
from unitymail.admin.cli.main import command_line
from unitymail.admin.cli.office import Office, verb
from unitymail.admin.operations.peers import Ourselves, Peers
from unitymail.admin.operations.status import Certificate, Seen, status
from unitymail.codec import Codec
from unitymail.directory.book import Book
from unitymail.directory.classes_read import ClassesRead
from unitymail.directory.directory import Directory
from unitymail.directory.sign_ins import sign_ins
from unitymail.directory.sql.database import Database
from unitymail.disk import Disk
from unitymail.doorbell.calling import announce, ask, count, ring
from unitymail.history.stories import Stories
from unitymail.interfaces.directory import Refused
from unitymail.interfaces.doorbell import Announced
from unitymail.login.passwords import Passwords
from unitymail.policy.withholding import Withholder
from unitymail.settings.node import BadSettings, NodeSettings
from unitymail.settings.site import SiteSettings
from unitymail.spool.badmail import BadMailFolder
from unitymail.spool.desk import QueueDesk
from unitymail.store import checking, exchange
from unitymail.store.quota import Usage
from unitymail.store.store import Store
from unitymail.tap import settings_from
from unitymail.tls import look_at_pairs, public_key_fingerprint

LATELY_S = 3_600
"""How far back `status` looks for wrong passwords."""


class NodeDesk:
    """The things of the node whose settings file is `config`, each opened when first asked for."""

    def __init__(self, config: str) -> None:
        try:
            self.settings: NodeSettings = settings_from(config)
        except OSError as error:
            raise click.UsageError(f"{config}: {error.strerror}; `unitymail init DIR` makes a node.") from error
        except UnicodeDecodeError as error:
            raise Refused(f"{config}: not UTF-8 text") from error
        except BadSettings as bad:
            raise Refused("\n".join(f"{config}: {complaint}" for complaint in bad.complaints)) from bad
        if why := lock.not_ours(self.settings.folder):
            raise Refused(f"{why}; run this as that user, as in `sudo -u USER unitymail ...`.")
        self._open = ExitStack()
        self._disk = Disk()

    def path(self, name: str) -> str:
        """An absolute path of the table [paths]."""
        return self.settings.path(getattr(self.settings.paths, name))

    @cached_property
    def _database(self) -> Database:
        database = Database(self.path("directory"))
        self._open.callback(database.close)
        database.check()
        return database

    @cached_property
    def directory(self) -> Directory:
        return Directory(self._database, time.time)

    @cached_property
    def passwords(self) -> Passwords:
        return Passwords()

    @property
    def site(self) -> SiteSettings:
        with self.directory.read() as view:
            return view.site()

    @cached_property
    def store(self) -> Store:
        site = self.site
        store = Store(
            self.path("accounts"), disk=self._disk, now=time.time, host=self.settings.node.host_name,
            undelete_days=site.undelete_days, retry_for=site.relay_retry_for,
            withholder=Withholder(ClassesRead(self.directory)), shredding=site.shredding_level,
        )
        self._open.callback(store.close)
        return store

    @property
    def exchange(self) -> Any:
        return exchange

    def mailbox_folder(self, account: str) -> str:
        return os.path.join(self.path("accounts"), account)

    @property
    def examine(self) -> Any:
        return checking.examine

    @cached_property
    def bad_mail(self) -> BadMailFolder:
        return BadMailFolder(self.path("spool"), disk=self._disk, now=time.time, who=self.who)

    @cached_property
    def queue(self) -> QueueDesk:
        return QueueDesk(self.path("spool"), disk=self._disk, now=time.time, who=self.who)

    @cached_property
    def codec(self) -> Codec:
        return Codec()

    @cached_property
    def history(self) -> Stories:
        return Stories(self.path("history"))

    @cached_property
    def book(self) -> Book:
        return Book.load(self._database)

    @cached_property
    def usage(self) -> Usage:
        return Usage(os.path.join(self.path("accounts"), "usage"), self._disk)

    @property
    def host(self) -> str:
        """The name this node gives itself."""
        return self.settings.node.host_name

    @property
    def ourselves(self) -> Ourselves:
        listen, tls = self.settings.listen, self.settings.tls
        certificate = self.settings.path(tls.certificate)
        with open(certificate, "rb") as file:
            fingerprint = self._our_fingerprint(certificate, file.read())
        with self.directory.read() as view:
            domain = view.identity.domain
        return Ourselves(
            self.host, listen.smtp, listen.web, domain, fingerprint, certificate, self.settings.path(tls.key)
        )

    def _our_fingerprint(self, path: str, certificate: bytes) -> str:
        try:
            return self.fingerprint_of(certificate)
        except ValueError as error:
            raise Refused(f"{path}: {error}") from error

    def fingerprint_of(self, certificate: bytes) -> str:
        return public_key_fingerprint(certificate)

    @property
    def who(self) -> str:
        return os.environ.get("SUDO_USER") or getpass.getuser()

    @property
    def now(self) -> float:
        return time.time()

    @property
    def running(self) -> int | None:
        """The pid of the node, None when it is down."""
        return lock.holder(self.settings.folder)

    def told(self) -> dict[str, Any]:
        """What the running node last said of itself."""
        return notice.read_notice(self.path("run")) if self.running is not None else {}

    def announce(self, usn: int) -> Announced:
        return announce(self.path("run"), usn)

    def ring(self, account: str, folder: str) -> None:
        """Tell running processes that something changed in a mailbox."""
        ring(self.path("run"), [(account, folder)])

    def count(self, account: str) -> None:
        """How full a mailbox is by now: the node counts it, and the file tells one that runs later."""
        if self.running is not None:
            count(self.path("run"), account)
        else:
            octets, _ = self.store.account(account).usage()
            self.usage.add(account, octets - self.usage.used(account))
            self.usage.save()

    def status(self) -> dict[str, Any]:
        now = self.now
        with self.directory.read() as view:
            usn, peers, rule = view.usn, Peers().all(view), view.authentication()
        tried = sign_ins(self._database, rule, since=now - LATELY_S, now=now)
        stands = standing.look(self.settings, now)
        files = certificates.files_of(self.settings)
        pairs, flaws = look_at_pairs(*files)
        pid, run = self.running, self.path("run")
        if pid is not None:
            ask(run, pid)
        return status(Seen(
            host=self.host, now=self.now, pid=pid, told=self.told(), told_at=notice.told_at(run),
            queue=stands.queue, oldest_s=stands.oldest_s, shunted=stands.shunted, bad_mail=stands.bad_mail,
            free=stands.free, usn=usn, own=files[0], flaws=flaws, peers=peers,
            failing=tried.failing, locked=tried.locked,
            certificates=[
                Certificate(
                    pair.names, pair.file, pair.ends.timestamp(), pair.days_left(now), pair.warning(now),
                    pair.fingerprint,
                )
                for pair in pairs
            ],
        ))  # fmt: skip

    def close(self) -> None:
        self._open.close()


@click.group()
def _founding() -> None:
    pass


@verb(_founding, "init")
@click.argument("dir")
@click.option("--domain", help="The SMTP domain of primary addresses, alias@DOMAIN. Default: the host name.")
@click.option("--host-name", help="The name this node gives itself. Default: this machine's.")
@click.option("--demo", is_flag=True, help="High ports, TLS optional, two users with passwords.")
@click.option("--listen", default="", metavar="ADDRESS", help="Listen on this address only.")
@click.option("--workers", default="1", metavar="N|auto", help="Processes that serve the doors.")
@click.option("--smtp-port", type=click.IntRange(0, 65_535), help="Default 25, with --demo 2525; 0 turns it off.")
@click.option("--submission-port", type=click.IntRange(0, 65_535), help="Default 587, with --demo 2587.")
@click.option("--submissions-port", type=click.IntRange(0, 65_535), help="Default 465, with --demo 2465.")
@click.option("--imap-port", type=click.IntRange(0, 65_535), help="Default 143, with --demo 1143.")
@click.option("--imaps-port", type=click.IntRange(0, 65_535), help="Default 993, with --demo 1993.")
@click.option("--web-port", type=click.IntRange(0, 65_535), help="Default 8443; closed in this version.")
def init(
    office: Office, dir: str, domain: str | None, host_name: str | None, demo: bool, listen: str, workers: str,
    **ports: int | None,
) -> None:
    """Make a node in DIR: settings, a self-signed certificate, an empty directory."""
    host = host_name or ("localhost" if demo else _this_host())
    doors: dict[str, Any] = {"address": listen} if listen else {}
    defaults = DEMO_PORTS if demo else {}
    for option, port in ports.items():
        door = option.removesuffix("_port")
        if port is not None or door in defaults:
            doors[door] = port if port is not None else defaults[door]
    folder = os.path.abspath(dir)
    plan = founding.Plan(folder, domain or ("vm1.example.com" if demo else host), host, demo, workers, doors)
    founding.found(plan)
    config = os.path.join(dir, founding.SETTINGS)
    facts = {"folder": folder, "config": os.path.join(folder, founding.SETTINGS)}
    facts |= {"domain": plan.domain, "host_name": host}
    if office.json:
        office.facts(facts)
    else:
        click.echo(
            f"Made a node for {plan.domain} in {dir}. Next:\n"
            f"  unitymail -c {config} user add ALIAS --password-stdin\n"
            f"  twistd --nodaemon --pidfile= unitymail --config {config}"
        )


DEMO_PORTS = {"smtp": 2525, "submission": 2587, "submissions": 2465, "imap": 1143, "imaps": 1993, "web": 8443}


def _this_host() -> str:
    import socket

    return socket.getfqdn() or "localhost"


def main() -> None:
    line = command_line(NodeDesk)
    line.add_command(init)
    line()


if __name__ == "__main__":
    main()
