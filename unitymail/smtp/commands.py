"""The grammar of SMTP commands (RFC 5321 4.1, 6531, 4954): one line in, values out. Refuses to know what is allowed.

What is tolerated beyond the grammar: spaces after `FROM:` and `TO:` (Outlook), dots anywhere in a local part (old
gateways), underscores in domains. What is not: anything that could break a line of a header, a reply or the journal.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from unitymail.mail.reply import Reply

LONGEST_PATH = 512
"""Octets of an address. RFC 5321 4.5.3.1.3 says 256; signed return paths are seen to be longer."""


class BadSyntax(Exception):
    """The line breaks the grammar; `reply` says how."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Path:
    """The argument of MAIL or RCPT. `address` is "" for `<>` and has no domain for RCPT's `<postmaster>`.

    A local part that needs no quotes has none. `parameters` is what follows, not yet looked at.
    """

    address: str
    parameters: str = ""


UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognised")
BAD_OCTETS = Reply(500, "5.5.2", "A command may not hold control characters or broken UTF-8")
BAD_HELO = Reply(501, "5.5.4", "Say your host name or address literal after HELO or EHLO")
BAD_MAIL = Reply(501, "5.5.4", "Syntax: MAIL FROM:<address> [parameters]")
BAD_RCPT = Reply(501, "5.5.4", "Syntax: RCPT TO:<address> [parameters]")
BAD_SENDER = Reply(553, "5.1.7", "That is not an address")
BAD_RECIPIENT = Reply(553, "5.1.3", "That is not an address")
BAD_PARAMETERS = Reply(501, "5.5.4", "Parameters must be KEYWORD or KEYWORD=VALUE, each once")
NEEDS_ARGUMENT = Reply(501, "5.5.4", "This command needs an argument")
NO_ARGUMENT = Reply(501, "5.5.4", "This command takes no argument")
BAD_BDAT = Reply(501, "5.5.4", "Syntax: BDAT octets [LAST]")
BAD_BASE64 = Reply(501, "5.5.2", "That is not base64")

_ATEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a0-\ud7ff\ue000-\U0010ffff"
_LETTER = r"A-Za-z0-9_\u00a0-\ud7ff\ue000-\U0010ffff"
_LABEL = rf"[{_LETTER}](?:[{_LETTER}\-]*[{_LETTER}])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[[!-Z^-~]{1,250}\]"
_QUOTED = r'"(?:[ !#-\[\]-~\u00a0-\ud7ff\ue000-\U0010ffff]|\\[ -~])*"'
_PLAIN = rf"[{_ATEXT}.]+@(?:{_DOMAIN})"

# The usual path is told at the first alternative; the second finds its parts for a closer look.
_fast = re.compile(rf"(?:FROM|TO):<({_PLAIN})>(?: +(.*))?", re.IGNORECASE).fullmatch
_full = re.compile(
    rf"(?P<keyword>FROM|TO):[ \t]*<(?P<route>@{_DOMAIN}(?:,@{_DOMAIN})*:)?"
    rf"(?P<path>(?:{_QUOTED}|[^<>\" ]+)(?:@(?:{_LITERAL}|[^<>\[\]@\" ]*))?|)>(?:[ \t]+(?P<parameters>.*))?",
    re.IGNORECASE,
).fullmatch
_quoted = re.compile(rf"({_QUOTED})@(.*)").fullmatch
_local = re.compile(rf"[{_ATEXT}.]+").fullmatch
_domain = re.compile(_DOMAIN).fullmatch
_literal = re.compile(_LITERAL).fullmatch
_host = re.compile(rf"{_DOMAIN}|\[[A-Za-z0-9.:%_\-]{{1,250}}\]|[A-Za-z0-9.:%_\-]{{1,250}}").fullmatch
_parameter = re.compile(r"([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([!-<>-~\u00a0-\ud7ff\ue000-\U0010ffff]+))?").fullmatch
_bdat = re.compile(r"([0-9]{1,20})(?: +(LAST))?", re.IGNORECASE | re.ASCII).fullmatch
_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]").search
_escaped = re.compile(r"\\(.)")


def text_of(line: bytes) -> str:
    """The line as text (UTF-8, RFC 6531 3.3). Raises BadSyntax for control characters and broken UTF-8."""
    try:
        text = line.decode("ascii") if line.isascii() else line.decode()
    except UnicodeDecodeError:
        raise BadSyntax(BAD_OCTETS)
    if not text.isprintable() and _control(text):
        raise BadSyntax(BAD_OCTETS)
    return text


def split(line: bytes) -> tuple[str, str]:
    """(verb in capitals, argument without outer spaces). Raises BadSyntax as `text_of`, and for an empty line."""
    verb, _, argument = text_of(line).strip().partition(" ")
    if not verb:
        raise BadSyntax(UNKNOWN_COMMAND)
    return verb.upper(), argument.strip()


def read_mail(argument: str) -> Path:
    """What follows MAIL; only a recipient may be <postmaster> alone (RFC 5321 4.1.1.3). Raises BadSyntax."""
    path = _read_path(argument, "FROM", BAD_MAIL, BAD_SENDER)
    if path.address and "@" not in path.address:
        raise BadSyntax(BAD_SENDER)
    return path


def read_rcpt(argument: str) -> Path:
    """What follows RCPT; never the empty address. Raises BadSyntax."""
    path = _read_path(argument, "TO", BAD_RCPT, BAD_RECIPIENT)
    if not path.address:
        raise BadSyntax(BAD_RECIPIENT)
    return path


def _read_path(argument: str, keyword: str, bad_line: Reply, bad_address: Reply) -> Path:
    fast = _fast(argument)
    if fast and argument[: len(keyword)].upper() == keyword and len(fast[1]) <= LONGEST_PATH // 4:
        return Path(fast[1], fast[2] or "")
    full = _full(argument)
    if not full or full["keyword"].upper() != keyword:
        raise BadSyntax(bad_line)
    address = _address(full["path"])
    if address is None:
        raise BadSyntax(bad_address)
    return Path(address, full["parameters"] or "")


def _address(path: str) -> str | None:
    """A path without brackets and route as an address; None when it is none."""
    if len(path.encode()) > LONGEST_PATH:
        return None
    if path == "" or path.lower() == "postmaster":
        return path
    quoted = _quoted(path)
    if quoted:
        local, domain = _with_needed_quotes(quoted[1]), quoted[2]
    else:
        local, _, domain = path.rpartition("@")
        if not _local(local):
            return None
    return f"{local}@{domain}" if _is_domain(domain) else None


def _with_needed_quotes(quoted: str) -> str:
    """One spelling for each local part (RFC 5321 4.1.2: quote only when needed, escape only what must be)."""
    content = _escaped.sub(r"\1", quoted[1:-1])
    if _local(content) and not content.startswith(".") and not content.endswith(".") and ".." not in content:
        return content
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _is_domain(domain: str) -> bool:
    if not domain.startswith("["):
        return len(domain) <= 255 and bool(_domain(domain))
    return bool(_literal(domain)) and _is_ip(domain[1:-1])


def _is_ip(literal: str) -> bool:
    """What an address literal holds: IPv4, or IPv6 after its tag (RFC 5321 4.1.3)."""
    try:
        if literal[:5].upper() == "IPV6:":
            ipaddress.IPv6Address(literal[5:])
        else:
            ipaddress.IPv4Address(literal)
    except ValueError:
        return False
    return "%" not in literal


def read_parameters(text: str) -> Mapping[str, str | None]:
    """`SIZE=1 SMTPUTF8` as a mapping of keywords in capitals. Raises BadSyntax for doubles too."""
    found: dict[str, str | None] = {}
    for word in text.split():
        parameter = _parameter(word)
        if not parameter or parameter[1].upper() in found:
            raise BadSyntax(BAD_PARAMETERS)
        found[parameter[1].upper()] = parameter[2]
    return found


def read_host(argument: str) -> str:
    """What follows HELO or EHLO, checked for syntax only: clients say all sorts of things. Raises BadSyntax."""
    if len(argument) > 255 or not _host(argument):
        raise BadSyntax(BAD_HELO)
    return argument


def read_bdat(argument: str) -> tuple[int, bool]:
    """(octets that follow, whether they are the last), RFC 3030 2. Raises BadSyntax."""
    found = _bdat(argument)
    if not found:
        raise BadSyntax(BAD_BDAT)
    return int(found[1]), found[2] is not None


def read_auth(argument: str) -> tuple[str, bytes | None]:
    """(mechanism in capitals, initial response decoded or None), RFC 4954 4; `=` is the empty one. Raises BadSyntax."""
    if not argument:
        raise BadSyntax(NEEDS_ARGUMENT)
    mechanism, space, response = argument.partition(" ")
    return mechanism.upper(), from_base64(response.strip()) if space else None


def from_base64(text: str) -> bytes:
    """A client's response in an exchange. Raises BadSyntax."""
    if text == "=":
        return b""
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        raise BadSyntax(BAD_BASE64)
