"""Text from octets whose charset is declared, misdeclared or unknown. Refuses to know where the octets came from.

Supersets that real mail relies on (windows-1252 for Latin-1, GB18030 for GB2312) are used as the WHATWG list does.
"""

from __future__ import annotations

import codecs
from functools import lru_cache

_SUPERSETS = {
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "iso8859-9": "cp1254",
}
_ALIASES = {"iso-8859-8-i": "iso8859-8", "unicode-1-1-utf-7": "utf-7", "x-sjis": "cp932", "cp-850": "cp850"}
# Codecs that are not charsets; punycode and idna take quadratic time besides.
_NOT_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "utf-8-sig"}


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """Python's name for a charset as mail names it, None when there is none."""
    name = charset.strip().lower()
    if not name.isascii() or not name.isprintable() or len(name) > 40:
        return None
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError, ImportError):
        return None
    if not getattr(info, "_is_text_encoding", True) or info.name.replace("_", "-") in _NOT_TEXT:
        return "utf-8" if info.name == "utf-8-sig" else None
    return _SUPERSETS.get(info.name, info.name)


def codec(charset: str) -> str | None:
    """The Python codec for a declared charset; None when unknown, absent or no charset at all."""
    return _codec(charset) if charset and len(charset) <= 64 else None


def to_text(octets: bytes, charset: str = "") -> str:
    """By the declared charset, else UTF-8, else Latin-1 as Windows means it; never raises."""
    if octets.isascii() and charset[:3].lower() not in ("utf", "iso", "uni", "hz-"):
        return octets.decode("ascii")
    for name in (codec(charset), "utf-8"):
        if name:
            try:
                return _whole(octets.decode(name), name)
            except (UnicodeError, ValueError):
                continue
    name = codec(charset) or "cp1252"
    return _whole(octets.decode("cp1252" if name == "utf-8" else name, "replace"), name)


def _whole(text: str, name: str) -> str:
    """UTF-7 alone can spell half of a surrogate pair, which is no character: nothing could write it out again."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if name == "utf-7" else text
