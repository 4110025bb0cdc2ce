"""Through the smart host: what leaves this system, as the site's settings say."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from zope.interface import moduleProvides

from unitymail.interfaces.book import IBook
from unitymail.interfaces.next_hop_rule import INextHopRule
from unitymail.routing.next_hop import HopTls, NextHop
from unitymail.routing.situation import Failure
from unitymail.routing.steps import RelayToSmartHost, RelayToUser

moduleProvides(INextHopRule)

steps = (RelayToSmartHost, RelayToUser)
KEY = "smart-host"
NOT_SET = Failure("5.3.5", "The message would have to leave through a smart host, and none is set.")


def key(step: Any) -> str:
    return KEY


def next_hop(step: Any, book: IBook) -> NextHop | Failure:
    return smart_host(book)


def smart_host(book: IBook) -> NextHop | Failure:
    """The smart host of the site; a Failure when none is set."""
    site = book.site
    named = site.smart_host_host
    if not named:
        return NOT_SET
    return _hop(
        named, site.smart_host_port, site.smart_host_tls, site.smart_host_ca_file, site.smart_host_username,
        site.smart_host_password_file,
    )  # fmt: skip


@lru_cache(maxsize=4)
def _hop(named: str, port: int, tls: HopTls, ca_file: str, username: str, password_file: str) -> NextHop:
    """The same object as long as the settings are the same: every message that leaves asks."""
    return NextHop(
        KEY, f"the smart host {named}", named.removeprefix("mx:"), port, mx=named.startswith("mx:"), tls=tls,
        ca_file=ca_file, username=username, password_file=password_file,
    )  # fmt: skip
