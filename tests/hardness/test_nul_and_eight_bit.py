"""Class: NUL, 8-bit and over-long everything. A clear refusal or the octets as they are; never a crash or a cut word.

Known examples: CVE-2019-19722, CVE-2020-10967 and CVE-2020-7046 (Dovecot: malformed addresses and octets that crashed
it); stock Twisted, which drops the connection for a verb of raw octets and for 8-bit header fields in FETCH.
"""

import re

import pytest

from tests.imap.conversation import House
from tests.smtp.conversation import LETTER, Conversation, codes
from unitymail.settings.site import SiteSettings

OPEN = SiteSettings(imap_auth_without_tls=True, smtp_auth_without_tls=True, smtp_allow_untrusted=True)
ENVELOPE = ("MAIL FROM:<robin@vm1.example.com>", "RCPT TO:<chris@vm1.example.com>")
VERBS = [b"EHLO", b"HELO", b"MAIL FROM:", b"RCPT TO:", b"DATA", b"BDAT", b"RSET", b"NOOP", b"VRFY", b"EXPN", b"HELP",
         b"AUTH", b"STARTTLS", b"QUIT", b"XYZZY", b""]
EVERY_OCTET = [bytes([n]) for n in range(256) if n not in b"\r\n"]


@pytest.mark.parametrize("verb", VERBS, ids=repr)
def test_each_octet_in_each_command(verb):
    """Each of the 256, before, within and behind the argument: one reply, and the session lives or says goodbye."""
    for octet in EVERY_OCTET:
        for line in (octet + verb, verb + octet, verb + b" <a" + octet + b"@b.example>", verb + b" " + octet * 100):
            c = Conversation(site=OPEN).greeted()
            said = codes(c.send(line + b"\r\n"))
            if not said and line[:4].upper() == b"BDAT":
                continue  # so many octets are waited for
            is_bdat = line.decode("latin-1").lstrip()[:4].upper() == "BDAT"
            assert len(said) == 1 or (is_bdat and said[1:] == ["421 4.7.0"]), (line, said)
            assert said[0][0] in "235"
            assert c.journal.named("trouble") == []


def test_nul_in_a_message():
    """It is refused whole, wherever the NUL is; over BDAT too, unless the message is binary."""
    for octets in (b"\0" + LETTER, LETTER + b"\0\r\n", LETTER.replace(b"Hi", b"H\0i"), b"Su\0bject: x\r\n\r\n\r\n"):
        c = Conversation(site=OPEN).greeted()
        assert c.letter("chris@vm1.example.com", octets=octets)[-1] == "554 5.6.0"
        c.say(*ENVELOPE)
        assert codes(c.send(b"BDAT %d LAST\r\n%b" % (len(octets), octets))) == ["554 5.6.0"]
        assert not c.spool.committed and not c.spool.held


def test_each_octet_in_a_message():
    """Each of the others is kept as it is, in header and body, declared or not."""
    for n in range(1, 256):
        if n in b"\r\n":
            continue
        octets = b"From: robin@vm1.example.com\r\nSubject: a%bb\r\n\r\nc%bd\r\n" % (bytes([n]), bytes([n]))
        c = Conversation(site=OPEN).greeted()
        assert c.letter("chris@vm1.example.com", octets=octets)[-1] == "250 2.0.0", n
        assert c.spool.committed[0].octets == octets


def test_eight_bit_comes_out_as_it_went_in():
    """FETCH of headers, ENVELOPE and BODYSTRUCTURE over a message of raw octets: whole responses, the same octets."""
    raw = bytes(n for n in range(1, 256) if n not in b"\r\n")
    message = b"From: \xff\xfe <a\x80@b.example>\r\nSubject: %b\r\nContent-Type: text/%b; a=%b\r\n\r\n%b\r\n"
    message %= (raw, raw, raw, raw)
    house = House(site=OPEN)
    house.inbox.put(message)
    client = house.selected()
    client.send(b"a FETCH 1 (ENVELOPE BODYSTRUCTURE BODY[] BODY[HEADER] BODY[HEADER.FIELDS (Subject)] BODY[1])\r\n")
    for _ in range(10):
        house.clock.advance(0)
    heard = client.wire.value()
    assert heard.endswith(b"a OK FETCH completed\r\n") and heard.count(message) == 1
    assert b"Subject: %b\r\n\r\n" % raw in heard
    assert house.journal.named("trouble") == []


@pytest.mark.parametrize("octet", [b"\0", b"\x80", b"\xff", b"\x07", b"\x7f", b"\xc3\xa9"], ids=repr)
def test_octets_in_imap_commands(octet):
    """In tags, verbs, atoms, quoted strings and literals: an answer to each line, and the next one is heard."""
    for line in (
        octet, b"a%b NOOP", b"a NO%bOP", b"a LOGIN ro%bbin secret", b'a LOGIN "ro%bbin" secret', b"a SELECT %b",
        b'a SELECT "%b"', b"a SELECT {1+}\r\n%b", b'a SEARCH SUBJECT "%b"', b"a SEARCH SUBJECT {3+}\r\na%b",
        b"%b NOOP", b"a FETCH 1 BODY[%b]", b"a STORE 1 FLAGS (%b)", b"a APPEND INBOX (%b) {1+}\r\nx",
        b"a ID (%b)", b"a STATUS %b ()",
    ):  # fmt: skip
        sent = line.replace(b"%b", octet)
        house = House(site=OPEN)
        client = house.selected()
        client.send(sent.ljust(len(sent) + 4, b" ") + b"\r\nz NOOP\r\n")
        heard = client.heard()
        assert re.search(r"^(?:a|\*|\S+) (?:OK|NO|BAD)", heard, re.MULTILINE), (sent, heard)
        assert "z OK" in heard or client.closed, (sent, heard)
        assert house.journal.named("trouble") == [], sent


LONG = {
    "a HELO name": ("EHLO " + "a" * 256, "501 5.5.4"),
    "a local part": ("MAIL FROM:<" + "a" * 600 + "@b.example>", "553 5.1.7"),
    "a domain": ("MAIL FROM:<a@" + "b." * 200 + "example>", "553 5.1.7"),
    "a label": ("MAIL FROM:<a@" + "b" * 300 + ".example>", "553 5.1.7"),
    "a source route": ("MAIL FROM:<" + ",".join(["@a.example"] * 100) + ":a@b.example>", "250 2.1.0"),
    "an address literal": ("MAIL FROM:<a@[" + "1" * 300 + "]>", "553 5.1.7"),
    "a quoted local part": ('MAIL FROM:<"' + "\\\\" * 300 + '"@b.example>', "553 5.1.7"),
    "a parameter": ("MAIL FROM:<a@b.example> " + "A" * 1_000 + "=1", "555 5.5.4"),
    "an ENVID": ("MAIL FROM:<a@b.example> ENVID=" + "A" * 1_000, "501 5.5.4"),
    "a SIZE": ("MAIL FROM:<a@b.example> SIZE=" + "9" * 21, "501 5.5.4"),
    "a large SIZE": ("MAIL FROM:<a@b.example> SIZE=" + "9" * 20, "552 5.3.4"),
    "a line of 2,048": ("NOOP " + "x" * 2_043, "250 2.0.0"),
    "a line of 2,049": ("NOOP " + "x" * 2_044, "500 5.5.2"),
    "a line of 12,289": ("NOOP " + "x" * 12_284, "500 5.5.2"),
    "a response": ("AUTH PLAIN " + "A" * 12_000, "501 5.5.2"),
    "a chunk": ("BDAT 99999999999999999999", "552 5.3.4"),
}


@pytest.mark.parametrize("what", LONG)
def test_over_long(what):
    """Whatever is too long has a reply that says so, or a limit that it is within."""
    line, code = LONG[what]
    c = Conversation(site=OPEN).greeted()
    said = c.codes(line)
    assert said[0] == code, said
    assert c.journal.named("trouble") == []
