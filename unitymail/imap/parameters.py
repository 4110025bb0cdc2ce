"""Lists of parameters in parentheses, each a name with whatever belongs to it (RFC 4466, 2.1): of SELECT, FETCH, STORE.

Knows the list; refuses to know what names mean. The caller reads what belongs to a name before it asks for the next.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from unitymail.imap.wire.lexer import BadSyntax, Reader


def names_in(reader: Reader, known: Container[str]) -> Iterator[str]:
    """`(NAME … NAME …)`: the names in upper case, none twice."""
    read: set[str] = set()
    reader.expect(b"(")
    while True:
        name = reader.atom().upper()
        if name not in known:
            raise BadSyntax(f"There is no parameter {name[:40]}")
        if name in read:
            raise BadSyntax(f"{name} stands twice in the list")
        read.add(name)
        yield name
        if not reader.take(b" "):
            break
    reader.expect(b")")
