"""Through the smart host: what leaves this system, as the site's settings say."""

from __future__ import annotations

from typing import Any

from zope.interface import moduleProvides

from unitymail.interfaces.book import IBook
from unitymail.interfaces.next_hop_rule import INextHopRule
from unitymail.routing.next_hop import NextHop
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
    return NextHop(
        KEY, f"the smart host {named}", named.removeprefix("mx:"), site.smart_host_port,
        mx=named.startswith("mx:"), tls=site.smart_host_tls, ca_file=site.smart_host_ca_file,
        username=site.smart_host_username, password_file=site.smart_host_password_file,
    )  # fmt: skip
