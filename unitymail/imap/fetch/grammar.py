"""The attribute list of FETCH: words in, items out, macros expanded (RFC 3501 6.4.5).

Clients ask for the same few lists again and again: what was understood once is remembered.
"""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules

from unitymail.imap.fetch import items
from unitymail.imap.fetch.attribute import ATTRIBUTES, Item
from unitymail.imap.fetch.plan import LONGEST_REMEMBERED
from unitymail.imap.wire.lexer import BadSyntax, Reader

for _module in iter_modules(items.__path__, items.__name__ + "."):
    import_module(_module.name)

MOST_ATTRIBUTES = 100
_FAST = ("FLAGS", "INTERNALDATE", "RFC822.SIZE")
MACROS = {"FAST": _FAST, "ALL": (*_FAST, "ENVELOPE"), "FULL": (*_FAST, "ENVELOPE", "BODY")}
_MOST_REMEMBERED = 256
_REMEMBERED: dict[bytes, tuple[Item, ...]] = {}
"""By all that was written to the end of the command, where that is one text without a literal."""
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9.]*")


def attributes(reader: Reader) -> tuple[Item, ...]:
    """One attribute, a parenthesised list, or a macro; each item once, in the order asked for."""
    written = reader.rest()
    if (known := _REMEMBERED.get(written)) is not None and reader.take(written):
        return known
    found = _attributes(reader)
    if reader.at_end() and reader.count == 1 and len(written) <= LONGEST_REMEMBERED:
        if len(_REMEMBERED) == _MOST_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[written] = found
    return found


def _attributes(reader: Reader) -> tuple[Item, ...]:
    if reader.take(b"("):
        found = [*_attribute(reader)]
        while reader.take(b" "):
            found += _attribute(reader)
            if len(found) > MOST_ATTRIBUTES:
                raise BadSyntax(f"More than {MOST_ATTRIBUTES} attributes")
        reader.expect(b")")
        return tuple(dict.fromkeys(found))
    name = _name(reader)
    names = MACROS.get(name, (name,))
    return tuple(item for name in names for item in _parse(reader, name))


def _attribute(reader: Reader) -> tuple[Item, ...]:
    return _parse(reader, _name(reader))


def _name(reader: Reader) -> str:
    found = _NAME.match(reader.rest())
    if found is None:
        raise BadSyntax("Expected something to fetch")
    reader.take(found.group())
    return found.group().decode("ascii").upper()


def _parse(reader: Reader, name: str) -> tuple[Item, ...]:
    parser = ATTRIBUTES.get(name)
    if parser is None:
        raise BadSyntax(f"FETCH knows no {name[:40]}")
    return parser(reader, name)
