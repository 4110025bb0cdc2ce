"""What every process of a node has before any room stands: its journal, its certificate, the watch over its turns.

Knows what a SIGHUP renews and how descriptors are allowed; refuses to know rooms and doors.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

from twisted.python import log as twisted_log

from unitymail.certificates import Certificates
from unitymail.closing import Closing
from unitymail.journal.journal import Journal
from unitymail.journal.lines import Lines
from unitymail.journal.wording import as_json, as_text
from unitymail.settings.node import NodeSettings
from unitymail.steady import make_steady
from unitymail.tls import Pair
from unitymail.turns import TurnWatch


class Running:
    """Raises OSError or BadPair when it cannot be. `renewals` are called on a reload.

    `otherwise` takes the lines of a journal that goes to standard output where there is none; `shown` are
    certificates for when those on the disk cannot be used.
    """

    def __init__(
        self, settings: NodeSettings, reactor: Any, otherwise: Callable[[str], None] = twisted_log.msg,
        shown: Sequence[Pair] = (),
    ) -> None:
        make_steady(reactor)
        self.settings = settings
        self.reactor = reactor
        self.closing = Closing()
        self.lines = self._open_lines(otherwise)
        self.journal = Journal(
            lines=self.lines, now=time.time, render=as_json if settings.log.format == "json" else as_text,
            to_reactor=reactor.callFromThread,
        )  # fmt: skip
        self.turns = TurnWatch(lambda took: self.journal.long_turn(took * 1000))
        self.certificates = Certificates(settings, journal=self.journal, reactor=reactor, otherwise=shown)
        self.tls = self.certificates.tls
        self.renewals: list[Callable[[], Any]] = []

    def _open_lines(self, otherwise: Callable[[str], None]) -> Lines:
        log = self.settings.log
        path = log.file if log.file == "-" else self.settings.path(log.file)
        if path != "-":
            os.makedirs(os.path.dirname(path), exist_ok=True)
        return Lines(path, self.reactor.callLater, otherwise)

    def reload(self) -> None:
        """SIGHUP: a rotated log file, renewed certificates, whatever else was added to the renewals."""
        for renew in (self.lines.reopen, self._renew_certificates, *self.renewals):
            try:
                renew()
            except Exception as error:
                self.journal.trouble("renewing what a SIGHUP asks for; the rest is renewed nevertheless", error)

    def _renew_certificates(self) -> None:
        self.journal.guard(self.certificates.renew(), "reading renewed certificates")


def allow_descriptors() -> None:
    """As many open files as this process may have at all: each connection, mailbox and message needs some."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
