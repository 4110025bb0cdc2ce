"""The mechanisms of AUTHENTICATE: PLAIN (RFC 4616), and LOGIN with the prompts that Outlook knows.

A mechanism is a coroutine that is given the client's first response, or None, and `ask` for more. Knows their
exchange; refuses to know users. Another mechanism is one more entry of `MECHANISMS`.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, a2b_base64
from collections.abc import Awaitable, Callable

from unitymail.imap.registry import Bad, No

Credentials = tuple[bytes, bytes]
Ask = Callable[[bytes], Awaitable[bytes]]


def decoded(response: bytes) -> bytes:
    """A response without its base64; `*` cancels, `=` is an empty initial response (RFC 4959)."""
    if response == b"*":
        raise Bad("AUTHENTICATE cancelled")
    if response == b"=":
        return b""
    try:
        return a2b_base64(response, strict_mode=True)
    except Error:
        raise Bad("The response is not base64") from None


def encoded(challenge: bytes) -> bytes:
    return b64encode(challenge)


async def plain(initial: bytes | None, ask: Ask) -> Credentials:
    fields = (await ask(b"") if initial is None else initial).split(b"\0")
    if len(fields) != 3:
        raise Bad("A PLAIN response has three parts with NUL between them")
    acting_for, name, password = fields
    if acting_for and acting_for.lower() != name.lower():
        raise No("Signing in for somebody else is not possible", b"AUTHORIZATIONFAILED")
    return name, password


async def login(initial: bytes | None, ask: Ask) -> Credentials:
    name = await ask(b"Username:") if initial is None else initial
    return name, await ask(b"Password:")


MECHANISMS: dict[str, Callable[[bytes | None, Ask], Awaitable[Credentials]]] = {"PLAIN": plain, "LOGIN": login}
