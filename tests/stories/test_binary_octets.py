"""A picture comes by BDAT with BODY=BINARYMIME; who reads it, and who gets it passed on, has each of its octets."""

import base64
import email
import os

import pytest

from tests.stories.house import until
from tests.stories.sink import Sink
from tests.stories.site import ROBIN, tag

PICTURE = os.urandom(3_000_000)
OUT = "terry@elsewhere.example"


def picture(word, octets=PICTURE):
    head = (
        f"From: Robin Smith <{ROBIN}>\r\nTo: chris@vm1.example.com\r\nSubject: {word}\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=x_y_z\r\n\r\n"
        "--x_y_z\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: binary\r\n\r\nGrüße\r\n"
        "--x_y_z\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    )
    return head.encode() + octets + b"\r\n--x_y_z--\r\n"


def by_bdat(client, recipients, octets, *parameters, size=300_000):
    """One transaction in chunks, pipelined; the reply to the last."""
    client.ehlo_or_helo_if_needed()
    assert client.has_extn("chunking") and client.has_extn("binarymime")
    assert client.mail(ROBIN, list(parameters))[0] == 250
    assert all(client.rcpt(recipient)[0] == 250 for recipient in recipients)
    starts = range(0, len(octets), size)
    for start in starts:
        piece = octets[start : start + size]
        client.sock.sendall(b"BDAT %d%b\r\n" % (len(piece), b"" if start != starts[-1] else b" LAST") + piece)
    replies = [client.getreply() for _ in starts]
    assert all(code == 250 for code, _ in replies), replies
    return replies[-1][1].decode()


def parts(octets):
    """The decoded bodies of the text and the picture."""
    text, image = email.message_from_bytes(octets).get_payload()
    assert image["Content-Transfer-Encoding"] == "base64"
    return text.get_payload(decode=True).decode(), image.get_payload(decode=True)


def test_from_the_door_to_the_mailbox(house):
    """Three megabytes are encoded beside the reactor; the mailbox holds text, and the trace says what was done."""
    with house.smtp("robin") as client:
        said = by_bdat(client, ["chris@vm1.example.com"], picture("a picture"), "BODY=BINARYMIME")
    [octets] = house.read("chris").values()
    assert b"\0" not in octets and parts(octets) == ("Grüße", PICTURE)
    trace = said.rpartition(" ")[2]
    assert "It came with binary octets from 127.0.0.1; they are kept in base64." in house.run("trace", trace)
    assert house.left_behind() == []


@pytest.mark.parametrize("size", [3_000, 3_000_000], ids=["small", "large"])
@pytest.mark.parametrize("eight_bit", [True, False], ids=["8BITMIME", "7bit"])
def test_out_to_the_smart_host(site, size, eight_bit):
    """One that takes 8-bit text gets the text as it is, one that does not gets it in base64 too."""
    word, extensions = tag(), ["PIPELINING", "SIZE 50000000", "MT-PRIORITY", *(["8BITMIME"] if eight_bit else [])]
    with Sink(extensions=extensions) as sink, site.through(sink.port):
        with site.a.smtp("robin") as client:
            by_bdat(client, [OUT], picture(word, PICTURE[:size]), "BODY=BINARYMIME", "MT-PRIORITY=6")
        [got] = until(lambda: sink.messages, site.journals)
        site.quiet()
    assert parts(got.octets) == ("Grüße", PICTURE[:size])
    assert got.octets.isascii() is not eight_bit and ("BODY=8BITMIME" in got.mail) is eight_bit
    assert ("R3LDvMOfZQ==" if not eight_bit else "Grüße").encode() in got.octets
    assert base64.b64encode(PICTURE[:57]) in got.octets and "MT-PRIORITY=6" in got.mail
