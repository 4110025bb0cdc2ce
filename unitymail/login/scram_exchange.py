"""One exchange of SCRAM-SHA-256 as the server has it: the keys that are shown, and what the client must say to them.

Knows the order of the messages and what binds them; whether a proof lets somebody in is the login's.

Note *Two names of one user*. The salt belongs to the keys, so an alias and any address of one user show the same. Names
of nobody are answered by a salt of their own each, alias and primary address by the same one, so that what shows is
which two names belong together for somebody who knows both, and never whether a name exists.

Note *Older keys*. Users whose keys were made when another count of iterations was the rule keep them until they sign in
with a password. A name of nobody shows the count of some user's keys, always the same user's, and so they show each
count as often as users do; when that user's keys are made anew, theirs are too.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from zope.interface import implementer

from unitymail.interfaces.directory import Credential, ICredentials, ScramKeys
from unitymail.interfaces.login import ActingForAnother, BadScram, IScram, Place
from unitymail.interfaces.threads import IThreads
from unitymail.login import scram
from unitymail.login.checkers import PlacedProof
from unitymail.login.names import key_of_name, name_of, same_name
from unitymail.login.scram_messages import ClientFirst, read_final, read_first, server_final, server_first
from unitymail.people.user import User

NONCE_OCTETS = 18


class ShownKeys:
    """The keys to show for a name: the user's, or those that the node's secret makes of it. `domain` is the node's."""

    def __init__(
        self, *, credentials: ICredentials, threads: IThreads, domain: Callable[[], str], iterations: int
    ) -> None:
        self._credentials = credentials
        self._threads = threads
        self._domain = domain
        self._iterations = iterations
        self._secret = b""

    def prepare(self) -> None:
        """Blocking: learn the node's secret."""
        self._secret = self._credentials.secret()

    async def of(self, owner: str, name: str) -> ScramKeys:
        """The same reads and one decoy, whoever is meant."""
        assert self._secret, "prepare() comes first"
        keys: ScramKeys = await self._threads.run(self._keys, owner, key_of_name(name, self._domain()))
        return keys

    def _keys(self, owner: str, name: str) -> ScramKeys:
        credential: Credential | None = self._credentials.read(owner)
        iterations = self._credentials.iterations_like(scram.place_of(self._secret, name)) or self._iterations
        decoy = scram.decoy(self._secret, name, iterations=iterations)
        return decoy if credential is None or credential.scram is None else credential.scram


@implementer(IScram)
class ScramExchange:
    """`shown` gives the keys for a name; `enter` checks a proof and gives the user, or raises SignInRefused."""

    def __init__(
        self,
        place: Place,
        *,
        shown: Callable[[str], Awaitable[ScramKeys]],
        enter: Callable[[PlacedProof], Awaitable[User]],
        nonce: Callable[[], str] = lambda: secrets.token_urlsafe(NONCE_OCTETS),
    ) -> None:
        self._place = place
        self._shown = shown
        self._enter = enter
        self._nonce = nonce
        self._first: ClientFirst | None = None
        self._keys: ScramKeys | None = None
        self._answered = b""
        self._whole_nonce = ""

    async def challenge(self, client_first: bytes) -> bytes:
        first = read_first(client_first)
        name = name_of(first.name)
        if first.acting_as and not same_name(name_of(first.acting_as), name):
            raise ActingForAnother
        self._keys = await self._shown(name)
        self._first, self._whole_nonce = first, first.nonce + self._nonce()
        self._answered = server_first(self._whole_nonce, self._keys.salt, self._keys.iterations)
        return self._answered

    async def conclude(self, client_final: bytes) -> tuple[User, bytes]:
        first, keys, self._first = self._first, self._keys, None
        if first is None or keys is None:
            raise BadScram("the first message is missing, or was answered already")
        final = read_final(client_final)
        if final.nonce != self._whole_nonce:
            raise BadScram("the nonce is not the one that was given")
        if final.binding != first.header:
            raise BadScram("the channel binding is not that of the first message")
        message = b",".join((first.bare, self._answered, final.unproven))
        user = await self._enter(PlacedProof(name_of(first.name), keys, message, final.proof, self._place))
        return user, server_final(scram.signature(keys, message))
