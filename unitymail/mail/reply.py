"""The SMTP reply as a value: code, enhanced code and words, kept consistent with each other.

Knows the wire form; refuses to know when a reply is due.
"""

from __future__ import annotations

from unitymail.mail.value import value


@value
class Reply:
    """One reply of RFC 5321 4.2 with its enhanced status code (RFC 3463), "" where RFC 2034 wants none.

    `text` may hold several lines; each becomes a line of a multi-line reply.
    """

    code: int
    enhanced: str
    text: str

    def __post_init__(self) -> None:
        if self.enhanced and self.enhanced[0] != str(self.code)[0]:
            raise ValueError(f"reply code {self.code} contradicts enhanced code {self.enhanced}")

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def positive(self) -> bool:
        return self.code < 400

    def octets(self) -> bytes:
        """The wire form, CRLF included; characters outside printable ASCII become `?` (no response injection)."""
        lines = self.text.split("\n") or [""]
        prefix = f"{self.enhanced} " if self.enhanced else ""
        last = len(lines) - 1
        wire = "".join(
            f"{self.code}{'-' if number < last else ' '}{prefix}{printable(line)}\r\n"
            for number, line in enumerate(lines)
        )
        return wire.encode("ascii")


def printable(text: str) -> str:
    """`text` with everything but printable ASCII replaced, so that no peer's words can break a line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else "?" for c in text)
