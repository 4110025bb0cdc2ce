"""VPIM both ways: a message from a peer has contents, one to a peer has a selection or a reason, headings stay ours."""

from __future__ import annotations

import io

from fuzz.octets import check_header, vectors
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.mail.structure import leaves, scan
from unitymail.mail.transfer import without_encoding
from unitymail.mail.vpim.body import Body
from unitymail.mail.vpim.fax import is_tiff_f
from unitymail.mail.vpim.forms import form_of
from unitymail.mail.vpim.heading import Cover, heading, inner_heading
from unitymail.mail.vpim.inbound import contents_of
from unitymail.mail.vpim.outlook import Heading, Speaker, header_of, subject_for
from unitymail.mail.vpim.selection import Refused, Selection, Voice, select

WORDS = [
    b"Content-Type: Multipart/Voice-Message; version=2.0; boundary=b\r\n\r\n", b"\r\n--b\r\n", b"\r\n--b--\r\n",
    b"audio/32KADPCM",
    b"image/tiff; application=faxbw", b"II*\0", b"MM\0*", b"RIFF", b"WAVEfmt ", b"data",
    b"voice=Originator-Spoken-Name",
    b"Content-Disposition: inline; handling=required", b"criticality=critical",
    b"Content-Transfer-Encoding: base64\r\n\r\n",
    b"message/rfc822", b"multipart/alternative", b"multipart/signed", b"Received: from a by b; ", b"Date: ",
    b"References: <a@b> ",
    b"Auto-Submitted: ", b"X-AttachmentOrder: a;b", b"text/vcard", b"\0", b"\xff", b"\r", b"\n",
]
SEEDS = vectors(65_536)
_TO_PEER = {
    b"received", b"from", b"to", b"cc", b"date", b"message-id", b"in-reply-to", b"references", b"subject",
    b"mime-version",
    b"content-type", b"content-transfer-encoding", b"sensitivity", b"importance", b"message-context",
    b"disposition-notification-to", b"auto-submitted",
}
_FROM_PEER = _TO_PEER | {b"content-class"}


def one(data: bytes) -> None:
    structure = scan(data)
    root = structure.root
    contents = contents_of(root)
    for inner in contents.everything():
        assert all(isinstance(name, str) for name in inner.removed)
    for fax in (False, True):
        chosen = select(data, structure, fax=fax)
        if isinstance(chosen, Refused):
            assert chosen.status[0] == "5" and chosen.cause
        else:
            assert not chosen.is_empty and all(voice.sounds for voice in chosen.voices())
            assert fax or not chosen.faxes
    for part in leaves(root)[:8]:
        form_of(data, part)
        body = Body(data, part)
        octets = io.BufferedReader(body).read()
        assert len(octets) <= part.size
        if part.encoding in ("7bit", "8bit", "binary"):
            assert octets == without_encoding(data[part.body : part.end], part.encoding)
        is_tiff_f(Body(data, part))
    _check_headings(data)


def _check_headings(data: bytes) -> None:
    root = scan(data).root
    name, _, address = data[:400].decode("utf-8", "replace").partition("@")
    people = (name, address)
    cover = Cover("0t", "l-1", "vm1.example.com", 1_394_457_625.0, b"", people, (people, people))
    selection = Selection(root, message=Voice(()))
    check_header(heading(data, selection, cover, b"=_b"), _TO_PEER)
    check_header(inner_heading(data, selection, b"=_b"), _TO_PEER)
    speaker = Speaker(name, address, address)
    block = header_of(
        Heading(
            Category.VOICE, speaker, [people], [people], subject_for(Category.VOICE, speaker), Sensitivity.PRIVATE,
            Importance.HIGH, "<0t@vm1.example.com>", 1_394_457_625.0,
        ), data, root, b"=_b",
    )  # fmt: skip
    assert block.endswith(b"\r\n\r\n")
    check_header(block[:-2], _FROM_PEER)
