"""Addresses and UTF-8 that crash: CVE-2019-19722, CVE-2020-10967 and CVE-2020-7046 (Dovecot).

An address that is hardly one goes wherever an address can go: commands of SMTP, header fields of a message that is
decided and delivered, ENVELOPE and SEARCH of IMAP, the address book, reports to it and relaying for it. Each gives an
answer that fits its protocol; nothing is raised, and no connection ends for it.
"""

import email
from email import policy

import pytest

from tests.fakes import FakeBook, FakeUsage
from tests.hardness.nasty import WORDS as NASTY
from tests.imap.conversation import House
from tests.mail.test_report import FULL, original, report
from tests.mail.wire import check_envelope, read
from tests.smtp.conversation import Conversation
from unitymail.mail.address import key_of, split, without_tag
from unitymail.mail.fate import Fate
from unitymail.mail.structure import scan
from unitymail.mail.summary import envelope
from unitymail.relay.envelope import is_sendable

ADDRESSES = (
    "@", "<>", "<", ">", "a@", "@b", "a@@b", "a@b@c", "@a@b", "a b@c", "\"\"@c", "\" \"@c", "\"a@c", "a\"b\"@c",
    "\"\\\"@c", ".@.", "a..b@c",
    ".a@c", "a.@c", "a@.c", "a@c.", "a@c..d", "a@-c", "a@[", "a@[]", "a@[1.2.3]", "a@[999.1.1.1]", "a@[IPv6:]",
    "a@[IPv6:::::]", "a@[x:y]",
    "a@" + "x" * 64 + ".c", "a@" + "x." * 127 + "c", "a" * 65 + "@c", "a" * 600 + "@c", "<@a:b@c>", "<@a,@b:c@d>",
    "@a:b@c", "a@b:c", "a(c)@b",
    "a@b(c", "a@(", "()", "a;b@c", "a,b@c", "a:b;", "g:;", "undisclosed-recipients:;", "postmaster", "POSTMASTER@",
    "+@c", "a+@c", "++@c",
    "\u00e9@c", "a@\u00e9", "\u0130@c", "\u00df@c", "a@xn--", "a@xn--\u00e9", "\ufeff@c", "a\u0300@c", "\u0300@c",
    "\U0010ffff@c", "a\u200d@c",
    "a\u00a0@c", "\u202ea@c", "\u2028@c", "=?utf-8?q?a?=@c", "mailto:a@c", "a%b@c", "a!b@c", "a@c%d", "a@1",
    "a@127.0.0.1", "a@localhost",
)  # fmt: skip
BROKEN_UTF8 = (
    b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80", b"\xe2\x80",
    b"\x80", b"a\xffb", b"\xef\xbf\xbe", b"\xc3\x28", b"\xf0\x9f\x98",
)  # fmt: skip
OCTETS = (*(address.encode("utf-8", "surrogatepass") for address in (*ADDRESSES, *NASTY)), *BROKEN_UTF8)


def names(octets):
    return repr(octets[:24])


@pytest.mark.parametrize("octets", OCTETS, ids=names)
def test_in_commands(octets):
    """MAIL and RCPT take it or refuse it with a code of RFC 5321; the next command is answered as ever."""
    client = Conversation().greeted()
    for template in (b"MAIL FROM:<%b>", b"MAIL FROM:%b", b"MAIL FROM:<a@b> AUTH=%b",
    b"MAIL FROM:<%b> SMTPUTF8 ENVID=%b"):
        line = template.replace(b"%b", octets).replace(b"\r", b"").replace(b"\n", b"")
        reply = client.send(line + b"\r\n")
        assert reply[:3] in ("250", "500", "501", "503", "553", "555", "550", "552"), reply
        client.say("RSET")
        client.session._dialogue._wrong = 0
    client.say("MAIL FROM:<> SMTPUTF8")
    for template in (b"RCPT TO:<%b>", b"RCPT TO:<%b> ORCPT=rfc822;%b",
    b"RCPT TO:<chris@vm1.example.com> ORCPT=utf-8;%b"):
        line = template.replace(b"%b", octets).replace(b"\r", b"").replace(b"\n", b"")
        reply = client.send(line + b"\r\n")
        assert reply[:3] in ("250", "500", "501", "503", "553", "555", "550"), reply
        client.session._dialogue._wrong = 0
    assert client.codes("NOOP") == ["250 2.0.0"]
    assert client.journal.named("trouble") == []


@pytest.mark.parametrize("octets", OCTETS, ids=names)
def test_in_header_fields(octets):
    """A message with it in every address field is decided, taken, and shown by IMAP as RFC 3501 has it."""
    value = octets.replace(b"\r", b" ").replace(b"\n", b"\r\n ").replace(b"\0", b"")
    fields = b"".join(name + b": " + value + b"\r\n" for name in (
        b"From", b"Sender", b"To", b"Cc", b"Bcc", b"Reply-To", b"Disposition-Notification-To", b"Message-ID",
        b"Return-Path"))
    letter = fields + b"Subject: " + value + b"\r\n\r\nHi.\r\n"
    client = Conversation().greeted()
    client.codes("MAIL FROM:<>", "RCPT TO:<chris@vm1.example.com>", "DATA")
    reply = client.send(letter.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    assert reply[:3] in ("250", "550"), reply
    assert client.journal.named("trouble") == []
    check_envelope(read(envelope(letter, scan(letter).root)))


@pytest.fixture(scope="module")
def mailbox():
    """A mailbox in which each of them is in a message's fields."""
    house = House()
    for octets in OCTETS:
        value = octets.replace(b"\r", b" ").replace(b"\n", b" ").replace(b"\0", b"")
        house.inbox.put(b"From: " + value + b"\r\nTo: " + value + b"\r\nSubject: " + value + b"\r\n\r\nHi.\r\n")
    return house


def test_all_of_them_are_fetched(mailbox):
    """ENVELOPE of each, and the connection goes on."""
    client = mailbox.selected()
    client.send(b"a FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (From)])\r\n")
    for _ in range(20):
        mailbox.clock.advance(0.05)
    heard = client.heard()
    assert heard.count("ENVELOPE (") == len(OCTETS) and "a OK " in heard
    assert mailbox.journal.named("trouble") == []


@pytest.mark.parametrize("octets", OCTETS, ids=names)
def test_in_searches_and_names(mailbox, octets):
    """SEARCH, LOGIN, SELECT and STATUS with it as a literal: an answer with the tag, whatever it is."""
    client = mailbox.selected()
    literal = b"{%d+}\r\n" % len(octets) + octets
    for command in (b"SEARCH FROM ", b"SEARCH CHARSET UTF-8 SUBJECT ", b"SEARCH HEADER Message-ID ", b"SEARCH TEXT ",
                    b"STATUS ", b"LIST \"\" ", b"CREATE "):
        client.send(b"a " + command + literal + (b" (MESSAGES)" if command == b"STATUS " else b"") + b"\r\n")
        for _ in range(6):
            mailbox.clock.advance(0.05)
        heard = client.heard()
        assert "a OK " in heard or "a NO " in heard or "a BAD " in heard, (command, heard)
    assert not client.closed
    assert mailbox.journal.named("trouble") == []


@pytest.mark.parametrize("address", [*ADDRESSES, *NASTY])
def test_in_the_address_book(address):
    """Its key is its own key, it is whole when it was split, and it finds nobody by accident."""
    assert key_of(key_of(address)) == key_of(address)
    local, domain = split(address)
    assert address in (f"{local}@{domain}", local)
    without_tag(address)
    found = FakeBook().find(address)
    assert found is None or key_of(address) in (key_of(found.address), *map(key_of, found.proxies))
    FakeUsage().used(address)


@pytest.mark.parametrize("address", [*ADDRESSES, *NASTY])
def test_in_reports(address):
    """A report about it, and one to it, is one message that parses."""
    for octets in (report(Fate(address, "failed", "5.1.1", "Nobody is here by that name.")), report(FULL, to=address),
                   report(FULL, about=original(subject=address, message_id=address))):
        message = email.message_from_bytes(octets, policy=policy.default)
        assert message.get_content_type() == "multipart/report"
        assert len(list(message.iter_parts())) == 3


@pytest.mark.parametrize("address", [*ADDRESSES, *NASTY])
def test_on_the_way_out(address):
    """What could not stand in a command is never sent as one."""
    if is_sendable(address):
        assert not set(address) & set("\r\n\0<>") or address.startswith('"')
        address.encode()
