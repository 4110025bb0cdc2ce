"""The MIME scanner: whatever the octets, one tree inside the message, within its limits, the same from a map."""

from __future__ import annotations

import mmap

from fuzz.octets import vectors
from unitymail.imap.fetch.section import whole
from unitymail.mail.attachments import attachments
from unitymail.mail.duration import seconds_of
from unitymail.mail.flaws import content_flaws
from unitymail.mail.part import LONGEST_FILE_NAME, Part
from unitymail.mail.structure import MOST_PARTS, Structure, find_part, leaves, scan, walk
from unitymail.mail.text import body_text, fold

WORDS = [
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"Content-Type: message/rfc822\r\n\r\n", b"\r\n--b\r\n",
    b"\r\n--b--\r\n", b"multipart/digest", b"multipart/signed", b"multipart/voice-message", b"message/global",
    b"Content-Transfer-Encoding: base64\r\n", b"quoted-printable", b"binary",
    b"Content-Disposition: attachment; filename=",
    b"filename*0*=utf-8''%20", b"filename*1=", b"=?utf-8?q?=2F..=2F?=", b"name*=iso-8859-1'en'%E9", b"charset=utf-16",
    b"Content-ID: <a>", b"cid:a", b"text/html", b"image/tiff", b"audio/wav", b"Content-Duration: 5", b"RIFF", b"\n",
    b"\r",
]
SEEDS = vectors()


def one(data: bytes) -> None:
    structure = scan(data)
    _check_tree(data, structure)
    root = structure.root
    content_flaws(data, structure)
    attachments(data, leaves(root))
    seconds_of(data, root)
    for part in list(walk(root))[:20]:
        _check_part(data, part)
    assert whole(data) == (root.body, root.end)
    _check_numbers(root)
    _check_mapped(data, structure)


def _check_tree(data: bytes, structure: Structure) -> None:
    root = structure.root
    assert structure.size == len(data) and structure.malformed == bool(structure.flaws)
    assert (root.start, root.end) == (0, len(data))
    assert not structure.beyond_limits or structure.malformed
    count = 0
    for part in walk(root):
        count += 1
        assert 0 <= part.start <= part.body <= part.end <= len(data)
        assert not part.is_multipart or part.children
        assert part.is_message or part.media_type not in ("message/rfc822", "message/global")
        position = part.body
        for child in part.children:
            assert position <= child.start and child.end <= part.end
            position = child.end
    assert count <= MOST_PARTS


def _check_part(data: bytes, part: Part) -> None:
    name = part.filename
    assert len(name) <= LONGEST_FILE_NAME
    assert not set(name) & set("/\\\0\r\n") and name.isprintable() | bool(name), name
    name.encode()
    if not part.children and part.size < 4096:
        text = body_text(data, part)
        folded = fold(text)
        assert fold(folded) == folded


def _check_numbers(root: Part) -> None:
    """Every part has its number, and the numbers around it name nothing."""
    waiting: list[tuple[tuple[int, ...], Part]] = [((), root)]
    seen = 0
    while waiting and seen < 50:
        numbers, part = waiting.pop()
        seen += 1
        assert find_part(root, numbers) is part
        inside = part.children[0] if part.is_message and numbers else part
        if inside.is_multipart:
            assert find_part(root, (*numbers, 0)) is None
            assert find_part(root, (*numbers, len(inside.children) + 1)) is None
            waiting += [((*numbers, at + 1), child) for at, child in enumerate(inside.children)]


def _check_mapped(data: bytes, structure: Structure) -> None:
    if not data:
        return
    with mmap.mmap(-1, len(data)) as mapped:
        mapped[:] = data
        assert scan(mapped) == structure
