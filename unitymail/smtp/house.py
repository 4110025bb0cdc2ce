"""What an SMTP door is given: its name, its host name and its collaborators, each known by its interface only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from unitymail.interfaces.book import IBook
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.login import ILogin
from unitymail.interfaces.metrics import IMetrics, Unmeasured
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.spool import ISpool
from unitymail.interfaces.threads import IThreads

DoorName = Literal["mta", "submission", "submissions"]


@dataclass(frozen=True, slots=True)
class House:
    """`clock` is the reactor or a test's clock: `seconds` and `callLater`. `tls` is a context factory or None.

    `now` is the time of day, which may be set; the clock only goes on. `free` tells how many octets of the disk mail
    may still take.
    """

    door: DoorName
    host: str
    book: IBook
    login: ILogin
    spool: ISpool
    threads: IThreads
    usage: IUsage
    journal: IJournal
    clock: Any
    now: Callable[[], float]
    tls: Any = None
    implicit_tls: bool = False
    metrics: IMetrics = field(default_factory=Unmeasured)
    free: Callable[[], float] = lambda: math.inf
