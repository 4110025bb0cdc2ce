"""Where a hop is: its MX hosts and the addresses of a host, through twisted.names. Refuses to know what is tried when.

Everything is bounded: hosts, addresses, and the time a look-up may take.
"""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Callable, Iterable
from itertools import chain, zip_longest
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.names import client, dns, error, hosts, resolve

from unitymail.relay.tls import ascii_name
from unitymail.relay.trouble import Trouble

MOST_HOSTS = 10
MOST_ADDRESSES = 10
TIMEOUTS_S = (1, 3, 8)
PATIENCE_S = 20.0
"""For a look-up, whatever the resolver does."""
OTHER_FAMILY_S = 1.0
"""How long a found address waits for those of the other family."""
LOCALHOST = ("127.0.0.1", "::1")

_is_host = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*").fullmatch


class CannotFind(Exception):
    """The hop cannot be found, as `trouble` says."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.why)
        self.trouble = trouble


class Names:
    """`resolver` has the methods of twisted.names' IResolver; by default one for this system, made when first asked."""

    def __init__(
        self, *, reactor: Any, resolver: Any = None, shuffle: Callable[[list[str]], None] = random.shuffle
    ) -> None:
        self._reactor = reactor
        self._resolver = resolver
        self._shuffle = shuffle

    async def hosts(self, domain: str, us: str = "") -> list[str]:
        """The hosts that take the domain's mail, best first; itself when it names none. Raises CannotFind.

        `us` is this node's name: where it is a host of the domain, only better ones are asked (RFC 5321 5.1).
        """
        name, is_name = ascii_name(domain)
        if not is_name:
            return [name]
        found = await self._ask("lookupMailExchange", name)
        if not _is_answer(found) and not _says_no(found):
            raise CannotFind(_failing(domain))
        records = [(record.preference, record.name.name.rstrip(b".")) for record in _payloads(found, dns.Record_MX)]
        if records and not any(host for _, host in records):
            why = f"{domain} declares that it takes no mail."
            raise CannotFind(Trouble("5.1.10", why, kind="failed"))
        if not records:
            return [name]
        better = _better_than(us, records)
        if not better:
            why = f"{domain} names no better host for its mail than this node: the message would come back here."
            raise CannotFind(Trouble("5.4.6", why, kind="failed"))
        return list(self._in_order(better))[:MOST_HOSTS]

    def _in_order(self, records: list[tuple[int, bytes]]) -> Iterable[str]:
        """By preference, those of the same in random order (RFC 5321 5.1); what cannot be a host's name is none."""
        for preference in sorted({preference for preference, _ in records}):
            equals = [host.decode() for each, host in records if each == preference and _is_host(host)]
            self._shuffle(equals)
            yield from equals

    async def addresses(self, host: str) -> list[str]:
        """IPv6 and IPv4 in turn, as RFC 8305 4 wants. Raises CannotFind."""
        name, is_name = ascii_name(host)
        if not is_name:
            return [name]
        if name == "localhost":
            return list(LOCALHOST)
        six, four = await self._both(self._ask("lookupIPV6Address", name), self._ask("lookupAddress", name))
        found = [
            [record.dottedQuad() for record in _payloads(four, dns.Record_A)],
            [str(ipaddress.IPv6Address(record.address)) for record in _payloads(six, dns.Record_AAAA)],
        ]
        mixed = [address for address in chain(*zip_longest(found[1], found[0])) if address]
        if mixed:
            return list(dict.fromkeys(mixed))[:MOST_ADDRESSES]
        if not all(_says_no(answer) for answer in (six, four)):
            raise CannotFind(_failing(host))
        raise CannotFind(Trouble("5.4.4", f"No address is known for the host {host}."))

    async def _both(self, six: Deferred[Any], four: Deferred[Any]) -> tuple[Any, Any]:
        """Both answers; None for one that is not there `OTHER_FAMILY_S` after the other found something."""
        found: list[Any] = [None, None]
        enough: Deferred[None] = Deferred()

        def end() -> None:
            if not enough.called:
                enough.callback(None)

        def take(answer: Any, place: int) -> None:
            found[place] = answer
            if _is_answer(answer) and answer and not enough.called:
                timers.append(self._reactor.callLater(OTHER_FAMILY_S, end))

        timers: list[Any] = []
        six.addCallback(take, 0)
        four.addCallback(take, 1)
        DeferredList([six, four]).addCallback(lambda _: end())
        try:
            await enough
        finally:
            six.cancel()
            four.cancel()
            for timer in timers:
                if timer.active():
                    timer.cancel()
        return found[0], found[1]

    def _ask(self, method: str, name: str) -> Deferred[Any]:
        """Fires with the answers, or with the exception that came instead."""
        asked: Deferred[Any] = getattr(self._get_resolver(), method)(name, timeout=TIMEOUTS_S)
        asked.addTimeout(PATIENCE_S, self._reactor)
        return asked.addCallbacks(lambda answer: answer[0], lambda failure: failure.value)

    def _get_resolver(self) -> Any:
        if self._resolver is None:
            # As client.createResolver makes it, with the reactor we were given and without a cache that nothing fills.
            of_network = client.Resolver(resolv=b"/etc/resolv.conf", reactor=self._reactor)
            self._resolver = resolve.ResolverChain([hosts.Resolver(b"/etc/hosts"), of_network])
        return self._resolver


def _better_than(us: str, records: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    ours = [preference for preference, host in records if host.lower() == us.lower().encode()]
    return [record for record in records if record[0] < min(ours)] if ours else records


def _payloads(answers: Any, kind: type[Any]) -> list[Any]:
    return [record.payload for record in answers if isinstance(record.payload, kind)] if _is_answer(answers) else []


def _is_answer(answer: Any) -> bool:
    return isinstance(answer, list | tuple)


def _says_no(answer: Any) -> bool:
    """An answer, though without what was asked for, or that the name is none. DomainErrors mean other things too."""
    nameless = isinstance(answer, error.DNSNameError | error.AuthoritativeDomainError)
    return _is_answer(answer) or nameless or type(answer) is error.DomainError


def _failing(host: str) -> Trouble:
    return Trouble("4.4.3", f"The name server could not say where {host} is.")
