"""The commands of SMTP, one file a family: each verb is a function of the dialogue and what follows the verb.

A verb gives the octets of its reply, or a coroutine for them when the answer takes time. It raises Refused or
BadSyntax, whose replies the dialogue gives. A new verb is a new row of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from unitymail.smtp.verbs.authentication import auth
from unitymail.smtp.verbs.chunks import bdat
from unitymail.smtp.verbs.greeting import ehlo, helo, starttls
from unitymail.smtp.verbs.message import data, mail, rcpt, rset
from unitymail.smtp.verbs.other import expn, help, noop, quit, vrfy

if TYPE_CHECKING:
    from unitymail.smtp.dialogue import Dialogue

Answer = bytes | Coroutine[Any, Any, bytes]

VERBS: dict[str, Callable[[Dialogue, str], Answer]] = {
    "EHLO": ehlo,
    "HELO": helo,
    "MAIL": mail,
    "RCPT": rcpt,
    "DATA": data,
    "BDAT": bdat,
    "RSET": rset,
    "NOOP": noop,
    "QUIT": quit,
    "VRFY": vrfy,
    "EXPN": expn,
    "HELP": help,
    "STARTTLS": starttls,
    "AUTH": auth,
}


def verb_of(line: bytes) -> str:
    """The verb that a line begins with, ? for none of ours."""
    verb = line.split(b" ", 1)[0].upper().decode("ascii", "replace")
    return verb if verb in VERBS else "?"
