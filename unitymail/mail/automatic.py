"""Whether a program sent a message, not a person (RFC 3834 5). Refuses to know what follows from it."""

from __future__ import annotations

from unitymail.mail.sensitivity import NamedFields, plain_word


def automatic_word(fields: NamedFields) -> str:
    """The keyword of the first Auto-Submitted field in lower case, `auto-replied`; "" for `no` and for none."""
    for raw in fields.get(b"auto-submitted", ())[:1]:
        word = plain_word(raw).partition(";")[0].strip()
        return "" if word == "no" else word
    return ""
