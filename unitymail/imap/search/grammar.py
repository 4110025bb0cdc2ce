"""The arguments of SEARCH: words in, a tree of keys out (RFC 3501 6.4.4, RFC 9051 6.4.4).

`Circumstances` say what keys may mean; those of a session are `key.circumstances(session)`.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from unitymail.imap.registry import Bad, No
from unitymail.imap.search import keys
from unitymail.imap.search.key import CHARSETS, KEYS, Arguments, Circumstances
from unitymail.imap.search.keys.sets import Numbers
from unitymail.imap.search.tree import And, Key, Not, Or
from unitymail.imap.wire.lexer import BadSyntax, Reader

for _module in iter_modules(keys.__path__, keys.__name__ + "."):
    import_module(_module.name)

_BEGINS_A_SET = tuple(bytes([octet]) for octet in b"0123456789*$")
BAD_CHARSET = b"BADCHARSET (US-ASCII UTF-8)"

ANYWHERE = Circumstances()


def criteria(reader: Reader, here: Circumstances = ANYWHERE) -> Key:
    """`[CHARSET name] key key …` up to the end of the command."""
    if not reader.take(b"CHARSET "):
        return _to_end(reader, here)
    if not here.charset:
        raise Bad("SEARCH takes no CHARSET once UTF8=ACCEPT is enabled: all is UTF-8")
    return criteria_after_charset(reader, here)


def criteria_after_charset(reader: Reader, here: Circumstances = ANYWHERE) -> Key:
    """`name key key …` up to the end of the command: SORT and THREAD always say a charset (RFC 5256, 3)."""
    if reader.astring().decode("ascii", "replace").upper() not in CHARSETS:
        raise No("Search keys are read in US-ASCII and UTF-8", BAD_CHARSET)
    reader.space()
    return _to_end(reader, here)


def _to_end(reader: Reader, here: Circumstances) -> Key:
    found = _keys(Arguments(reader, here))
    reader.end()
    return found


def _keys(arguments: Arguments) -> Key:
    found = [_key(arguments)]
    while arguments.reader.take(b" "):
        found.append(_key(arguments))
    return found[0] if len(found) == 1 else And(tuple(found))


def _key(arguments: Arguments) -> Key:
    arguments.enter()
    found = _unwrapped(arguments)
    arguments.leave()
    return found


def _unwrapped(arguments: Arguments) -> Key:
    reader = arguments.reader
    if reader.take(b"("):
        found = _keys(arguments)
        reader.expect(b")")
        return found
    if reader.peek() in _BEGINS_A_SET:
        return Numbers(arguments.here.of_messages(reader.sequence_set()))
    name = reader.word()
    if name == "NOT":
        reader.space()
        return Not(_key(arguments))
    if name == "OR":
        reader.space()
        one = _key(arguments)
        reader.space()
        return Or((one, _key(arguments)))
    parser = KEYS.get(name)
    if parser is None:
        raise BadSyntax(f"SEARCH knows no {name[:40]}")
    return parser(arguments, name)
