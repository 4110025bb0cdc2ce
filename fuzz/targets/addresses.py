"""Address lists: groups closed, one key for each address; what we write of a name and an address is one mailbox."""

from __future__ import annotations

from unitymail.mail.address import key_of, split, without_tag
from unitymail.mail.headers import addresses
from unitymail.mail.lexical import LONGEST_FIELD
from unitymail.mail.mailboxes import entries
from unitymail.mail.writing import mailbox, message_id, one_line, path, token, unstructured

WORDS = [
    b"Robin <robin@vm1.example.com>", b'"', b"\\", b"<", b">", b"@", b",", b";", b":", b"(", b")", b"[", b"]",
    b"=?utf-8?q?=2C?=",
    b"group:", b"<@a,@b:", b"\r\n ", b"\r\n", b"\r", b"\n", b"\0", b"\xc3\xa9", b"\xff", b"\xe2\x80\xa8", b"Bcc: ",
    b"+", b".",
    "İ".encode(), "ß".encode(), b"=?utf-8?q?=0D=0ABcc:_x?=",
]
SEEDS = [
    b"robin@vm1.example.com, \"Smith, Robin\" <robin@vm1.example.com>", b"Team: a@b, c@d;, e@f", b"<@hop1,@hop2:a@b>",
    b"\"a\\\" b\"@[IPv6:::1] (comment (nested)), =?utf-8?b?w6k=?= <e@f>", b"undisclosed-recipients:;", b"a.b.@c <>",
]


def one(data: bytes) -> None:
    found = entries(data)
    assert len(found) <= min(len(data), LONGEST_FIELD) + 1
    depth = 0
    for entry in found:
        depth += {"begin": 1, "end": -1}.get(entry.group, 0)
        assert depth in (0, 1)
        assert entry.group or entry.local or entry.domain or entry.name
    assert depth == 0
    for author in addresses(data)[:50]:
        _check_key(author.address)
        _check_written(author.name, author.address)
    text = data.decode("utf-8", "replace")
    _check_key(text)
    name, _, address = text.partition("<")
    _check_written(name, address)


def _check_key(address: str) -> None:
    key = key_of(address)
    assert key_of(key) == key, "a key is its own key"
    local, domain = split(address)
    assert f"{local}@{domain}" == address or (local, domain) == (address, "")
    if (plain := without_tag(address)) is not None:
        assert plain.count("+") < address.count("+") and split(plain)[1] == domain


def _check_written(name: str, address: str) -> None:
    for utf8 in (False, True):
        field = b"To: " + mailbox(name, address, utf8=utf8) + b"\r\n"
        _check_field(field)
        found = entries(field[4:])
        assert len(found) <= 1 and not any(entry.group for entry in found)
        assert found or not one_line(name)
        assert utf8 or field.isascii()
        assert b"<" not in path(address, utf8=utf8) and b">" not in path(address, utf8=utf8)
        assert b" " not in token(address, utf8=utf8)
    _check_field(unstructured("Subject", name))
    assert one_line(one_line(name)) == one_line(name)
    assert message_id(address) == "" or message_id(address).isascii()


def _check_field(field: bytes) -> None:
    lines = field[:-2].split(b"\r\n")
    assert field.endswith(b"\r\n") and b"\r" not in b"".join(lines) and b"\n" not in b"".join(lines)
    assert b"\0" not in field
    assert all(line[:1] in b" \t" and line.strip() for line in lines[1:]), field
