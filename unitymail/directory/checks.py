"""What a field of the directory may hold: pure checks that raise Refused with one sentence.

Fields reach headers, replies, logs and file names, so nothing here lets a line break or a control character through.
Refuses to know what is already in the directory.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from contextlib import suppress

from unitymail.interfaces.directory import Refused
from unitymail.people.user_template import TOKENS, tokens_in
from unitymail.settings.client_rules import NEVER_HIDDEN

MAX_ALIAS = 64
MAX_NAME = 64
MAX_EXTENSION = 40
MAX_ADDRESS = 320

_ALIAS_PUNCTUATION = frozenset("._-'`~!#$%^&=")
_LOCAL_PUNCTUATION = frozenset(".!#$%&'*+-/=?^_`{|}~")
_EXTENSION = re.compile(r"[0-9A-Za-z*#+.\-]{1,40}\Z")
_LABEL = re.compile(r"[^\W_](?:[\w\-]*[^\W_])?\Z")
_CAPABILITY = re.compile(r"\+?[A-Za-z0-9][A-Za-z0-9+\-=./*]*\Z")


def normal(text: str) -> str:
    """Trimmed and in Unicode's composed form, so that two spellings of one name are one."""
    return unicodedata.normalize("NFC", text.strip())


def line(what: str, text: str, limit: int = MAX_NAME) -> str:
    """One line of text for people, at most `limit` characters."""
    text = normal(text)
    if len(text) > limit:
        raise Refused(f"The {what} has {len(text)} characters; at most {limit} are kept.")
    if bad := next((c for c in text if _is_control(c)), None):
        raise Refused(f"The {what} holds the control character U+{ord(bad):04X}; take it out.")
    return text


def name(what: str, text: str) -> str:
    """The name of a class, partition, scope, location or template."""
    text = line(f"name of the {what}", text, 255)
    if not text:
        raise Refused(f"The name of a {what} cannot be empty; give one.")
    return text


def alias(text: str) -> str:
    """What stands before the @ of a primary address and what people sign in with (UC: at most 64 characters)."""
    text = normal(text)
    if not text:
        raise Refused("The alias is empty; give one, such as the name people sign in with.")
    if "@" in text:
        raise Refused(f"The alias {text!r} holds an @; give only what stands before it.")
    if len(text) > MAX_ALIAS:
        raise Refused(f"The alias has {len(text)} characters; at most {MAX_ALIAS} are allowed.")
    if bad := next((c for c in text if not (c.isalnum() or c in _ALIAS_PUNCTUATION or _is_mark(c))), None):
        raise Refused(
            f"The alias {text!r} holds {_shown(bad)}; use letters, digits and . _ - ' ` ~ ! # $ % ^ & = only."
        )
    if text.startswith(".") or text.endswith(".") or ".." in text:
        raise Refused(f"The alias {text!r} begins or ends with a dot, or has two in a row; no address may.")
    if text.startswith("-"):
        raise Refused(f"The alias {text!r} begins with a hyphen; commands would take it for an option.")
    return text


def extension(text: str) -> str:
    """A phone extension, "" for none."""
    text = normal(text)
    if text and not _EXTENSION.match(text):
        raise Refused(
            f"The extension {text!r} cannot be dialled; use up to {MAX_EXTENSION} digits, letters and * # + . - only."
        )
    return text


def address(what: str, text: str) -> str:
    """A mail address without brackets or quotes, as `local@domain`."""
    text = normal(text)
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise Refused(f"The {what} {text!r} is no mail address; write it as name@domain.")
    if len(text) > MAX_ADDRESS:
        raise Refused(f"The {what} has {len(text)} characters; at most {MAX_ADDRESS} are allowed.")
    if bad := next((c for c in local if not (c.isalnum() or c in _LOCAL_PUNCTUATION or _is_mark(c))), None):
        raise Refused(f"The {what} {text!r} holds {_shown(bad)} before the @; addresses cannot.")
    if token := next((token for token in tokens_in(local) if token in TOKENS), ""):
        raise Refused(f"The {what} {text!r} holds %{token}%, which only templates fill; write the address itself.")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise Refused(f"The {what} {text!r} begins or ends with a dot before the @, or has two in a row.")
    host(f"domain of the {what}", domain)
    return text


def host(what: str, text: str) -> str:
    """A domain or host name; a dot at the end is dropped."""
    text = normal(text).removesuffix(".")
    if not text or len(text) > 253:
        raise Refused(f"The {what} is empty or longer than 253 characters; give a name such as example.com.")
    bad = [label for label in text.split(".") if len(label) > 63 or not _LABEL.match(label)]
    if bad:
        raise Refused(f"The {what} {text!r} holds {bad[0]!r}, which cannot be part of a domain name.")
    return text


def host_or_address(what: str, text: str) -> str:
    """A host name, or an IPv4 or IPv6 address in one spelling."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]")))
    return host(what, text)


def capability(text: str) -> str:
    """An IMAP capability or SMTP extension keyword to hide; behind a `+`, one to offer."""
    text = text.strip().upper()
    if not _CAPABILITY.match(text):
        raise Refused(f"{text!r} is no capability; name one as the server shows it, such as QRESYNC.")
    if text in NEVER_HIDDEN:
        raise Refused(f"{text} cannot be hidden: without it programs would not know how to speak with the server.")
    return text


def _is_control(character: str) -> bool:
    """Line ends and controls, and the invisible marks that turn text around; joiners are part of some scripts."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\u200c\u200d"


def _is_mark(character: str) -> bool:
    """Combining marks are part of letters in many scripts."""
    return unicodedata.category(character) in ("Mn", "Mc")


def _shown(character: str) -> str:
    if character == " ":
        return "a space"
    return repr(character) if character.isprintable() else f"the control character U+{ord(character):04X}"
