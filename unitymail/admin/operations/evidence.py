"""Why a message is what it is, in sentences: what the categorisation rules saw, and what marks it.

Knows what the rules look at; refuses to apply them: category and rule are given.
"""

from __future__ import annotations

from collections.abc import Iterator

from unitymail.mail.flaws import content_flaws
from unitymail.mail.headers import readable
from unitymail.mail.message import Category, Message
from unitymail.mail.part import Octets, Part
from unitymail.mail.sensitivity import FIELDS, asks_for_security, parse_secure_headers, plain_word
from unitymail.mail.structure import scan
from unitymail.people.class_of_service import ClassOfService, RequireSecure
from unitymail.routing.evidence import ASTERISK, HINT_FIELDS, Evidence
from unitymail.settings.site import SiteSettings

Fields = dict[bytes, list[bytes]]
MOST_NAMED = 5


def why_category(buffer: Octets, message: Message) -> str:
    """The evidence that the rule stands on."""
    structure = scan(buffer)
    if structure.beyond_limits:
        return "it has more parts or deeper nesting than is looked into"
    evidence = Evidence(buffer, structure.root, _fields(buffer, structure.root))
    rule = message.rule.rpartition("/")[2]
    why = _RULES[rule](evidence, message)
    hint = next(_hints(evidence), "")
    if message.rule.startswith("R4/"):
        return f"{hint} says otherwise, but nothing in the message bears that out; {why}"
    return why


def _report(evidence: Evidence, message: Message) -> str:
    inside = next((c.media_type for c in evidence.root.children if c.type == "message"), evidence.root.media_type)
    return f"it is a report: {inside}"


def _opaque(evidence: Evidence, message: Message) -> str:
    return f"it is encrypted ({evidence.root.media_type}), so nothing in it can be checked"


def _vpim(evidence: Evidence, message: Message) -> str:
    part = evidence.voice_message
    inside = ", ".join(child.media_type for child in part.children[:MOST_NAMED]) if part is not None else ""
    return f"it holds a multipart/voice-message (VPIM) of {inside or 'nothing'}"


def _hinted(evidence: Evidence, message: Message) -> str:
    hint = next(_hints(evidence), "a header")
    if message.category is Category.EMAIL:
        return f"{hint} says so"
    return f"{hint} says so, and the content bears it out: {_named(evidence, message) or 'inside'}"


def _voice(evidence: Evidence, message: Message) -> str:
    marked = [part for part in evidence.attachments if evidence.is_playable(part) and evidence.is_marked(part)]
    if marked:
        return f"{_names(marked)} can be played and is marked as a voice message"
    return f"what is attached is telephone audio and nothing else: {_named(evidence, message)}"


def _fax(evidence: Evidence, message: Message) -> str:
    return f"what is attached are fax pages and nothing else: {_named(evidence, message)}"


def _email(evidence: Evidence, message: Message) -> str:
    if evidence.is_plain_text or not evidence.attachments:
        return "it is text, and nothing says that it is anything else"
    return f"no rule makes it voice or fax; attached: {_names(evidence.attachments)}"


_RULES = {"R1": _report, "R2": _opaque, "R3": _vpim, "R4": _hinted, "R5": _voice, "R6": _fax, "R7": _email}


def _named(evidence: Evidence, message: Message) -> str:
    wanted = evidence.is_tiff if message.category is Category.FAX else evidence.is_playable
    return _names([part for part in evidence.leaves if wanted(part)])


def _names(parts: list[Part]) -> str:
    shown = [f"{part.filename} ({part.media_type})" if part.filename else part.media_type for part in parts]
    more = f" and {len(shown) - MOST_NAMED} more" if len(shown) > MOST_NAMED else ""
    return ", ".join(shown[:MOST_NAMED]) + more


def _hints(evidence: Evidence) -> Iterator[str]:
    """The header fields that hint at a category, as they stand."""
    for name in sorted(HINT_FIELDS, key=lambda name: (name.startswith(b"x-"), name != b"message-context")):
        for raw in evidence.fields.get(name, ())[:1]:
            yield f"{_title(name)}: {plain_word(raw)[:100]}"
    if ASTERISK in evidence.fields:
        yield "a header field of Asterisk's voice mail"


def why_marked(buffer: Octets, message: Message, site: SiteSettings) -> list[str]:
    """The header fields behind sensitivity, importance and the secure mark."""
    fields = _fields(buffer, scan(buffer).root)
    found = [
        f"{_title(name)}: {plain_word(raw)[:100]}" for name in sorted(FIELDS) for raw in fields.get(name, ())[:1]
    ]
    for header in parse_secure_headers(site.secure_headers):
        if asks_for_security(fields, (header,)):
            found.append(f"the secure header {header[0]}")
    if message.secure and not asks_for_security(fields, parse_secure_headers(site.secure_headers)):
        found.append("the site marks Company-Confidential as secure")
    return found


def why_secure_in_effect(message: Message, cos: ClassOfService | None) -> str:
    """What the sender's class of service adds, "" for nothing."""
    if message.secure or cos is None:
        return ""
    if cos.secure is RequireSecure.ALWAYS:
        return f"the class of service {cos.name} makes every message secure"
    return f"the class of service {cos.name} treats private messages as secure"


def why_malformed(buffer: Octets, message: Message) -> str:
    """In words; "" when nothing is wrong."""
    if not message.malformed:
        return ""
    structure = scan(buffer)
    return "; ".join(dict.fromkeys((*structure.flaws, *content_flaws(buffer, structure))))


def _fields(buffer: Octets, root: Part) -> Fields:
    fields: Fields = {}
    for name, raw in readable(buffer, root):
        fields.setdefault(ASTERISK if name.startswith(ASTERISK) else name, []).append(raw)
    return fields


def _title(name: bytes) -> str:
    return "-".join(word.capitalize() for word in name.decode("ascii", "replace").split("-"))
