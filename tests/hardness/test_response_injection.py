"""Class: response injection. Nothing that a client says comes back so that somebody could take it for a line of ours.

Known examples: the response injection of nostarttls.secvuln.info (IMAP tags and mailbox names sent back as they came),
echoes of HELO names and addresses with line ends or terminal controls in them. A reply is printable ASCII; a response
of IMAP is whole lines, and a mailbox name in it can be read back as the name that it is.
"""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import ROBIN
from tests.imap.conversation import MESSAGE, House
from tests.imap.test_fuzz import lines
from tests.smtp.conversation import Conversation
from unitymail.interfaces.login import SignInRefused
from unitymail.policy.verdict import reject
from unitymail.settings.site import SiteSettings

OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_auth_without_tls=True, imap_auth_without_tls=True)
NASTY = [
    b"\r", b"\n", b"\n250 EVIL", b"\r250 EVIL", b"\0", b"\x1b[2J", b"\x7f", b"\x85", b"\xff\xfe", b"\xe2\x80\xa8",
    b"\xe2\x80\xae", b"\xc2\x85", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"%0d%0a", b"=0D=0A", b"\\r\\n",
    b"%n%s", b"&AA0ACg-", b'"', b"\\", b"\x08", b"\t", b"{5}", b"{5+}",
]
REPLY = re.compile(rb"(?:[2-5][0-9][0-9]-[ -~]*\r\n)*[2-5][0-9][0-9] [ -~]*\r\n")
SMTP_PLACES = {
    "a verb": (b"", b"%b EVIL"),
    "HELO": (b"", b"HELO %b.example"),
    "EHLO": (b"", b"EHLO a%bEVIL"),
    "MAIL": (b"", b"MAIL FROM:<%bEVIL@vm1.example.com>"),
    "a quoted sender": (b"", b'MAIL FROM:<"%bEVIL"@vm1.example.com>'),
    "a sender's domain": (b"", b"MAIL FROM:<a@%b.example>"),
    "a parameter": (b"", b"MAIL FROM:<a@vm1.example.com> %b=EVIL"),
    "a parameter's value": (b"", b"MAIL FROM:<a@vm1.example.com> ENVID=%bEVIL"),
    "RCPT": (b"MAIL FROM:<robin@vm1.example.com>\r\n", b"RCPT TO:<%bEVIL@vm1.example.com>"),
    "a recipient's domain": (b"MAIL FROM:<robin@vm1.example.com>\r\n", b"RCPT TO:<a@%b>"),
    "ORCPT": (b"MAIL FROM:<robin@vm1.example.com>\r\n", b"RCPT TO:<chris@vm1.example.com> ORCPT=rfc822;%bEVIL"),
    "AUTH": (b"", b"AUTH %bEVIL"),
    "an initial response": (b"", b"AUTH PLAIN %b"),
    "a response": (b"AUTH LOGIN\r\n", b"%bEVIL"),
    "VRFY": (b"", b"VRFY %bEVIL"),
    "EXPN": (b"", b"EXPN %bEVIL"),
    "HELP": (b"", b"HELP %bEVIL"),
    "NOOP": (b"", b"NOOP %bEVIL"),
    "RSET": (b"", b"RSET %bEVIL"),
    "BDAT": (b"", b"BDAT %b"),
}


def replies(octets):
    """Each reply of what an SMTP server said, all of it accounted for."""
    found, at = [], 0
    while at < len(octets):
        reply = REPLY.match(octets, at)
        assert reply, octets[at:]
        found.append(reply[0])
        at = reply.end()
    return found


@pytest.mark.parametrize("door", ["mta", "submission"])
@pytest.mark.parametrize("place", SMTP_PLACES)
def test_smtp(place, door):
    """One printable reply for each line that was sent, with a code of ours on each of its own lines."""
    before, line = SMTP_PLACES[place]
    for nasty in NASTY:
        c = Conversation(site=OPEN, door=door).greeted()
        if door == "submission" and not place.startswith(("AUTH", "an initial", "a response")):
            c.signed_in()
        c.session.dataReceived(before)
        c.heard()
        octets = line % nasty + b"\r\n"
        c.session.dataReceived(octets)
        c.clock.advance(60)
        said = replies(c.wire.value())
        assert len(said) - (said[-1][:3] == b"421") <= octets.count(b"\r\n"), (nasty, said)


def test_words_of_a_policy():
    """A reply with words from elsewhere, an address or a directory field in them, is printable and one reply."""
    words = "The address \r\n250 OK <é\x1b[2J\u2028@x> is not yours\nreally"
    octets = reject(550, "5.7.1", words).reply.octets()
    assert replies(octets) == [octets] and octets.count(b"\r\n") == 3 and b"550-5.7.1 250" in octets


def test_a_name_that_failed_to_sign_in():
    """What the journal is told of a refused name is not what the client hears."""
    c = Conversation(site=OPEN, door="submission").greeted()
    c.login.answer = SignInRefused("bad-credentials", "no user é\r\n250 EVIL")
    assert replies(c.say("AUTH PLAIN AHJvYmluAHNlY3JldA==").encode()) == [b"535 5.7.8 Name or password is wrong\r\n"]


# IMAP

TAGS = [
    b"a\x1b", b"a\xff", b"+", b"*", b"a\0", b"* OK EVIL", b"{5}", b"a\tb", b"\xe2\x80\xa8", b"a" * 200, b"", b"()",
    b'"a"',
]
IMAP_PLACES = {
    "an unknown command": b"t %b",
    "LOGIN": b"t LOGIN %b x",
    "AUTHENTICATE": b"t AUTHENTICATE %b",
    "SELECT": b"t SELECT %b",
    "CREATE": b"t CREATE %b",
    "RENAME": b"t RENAME INBOX %b",
    "SUBSCRIBE": b"t SUBSCRIBE %b",
    "LIST": b't LIST "" %b',
    "LIST reference": b"t LIST %b *",
    "STATUS": b"t STATUS %b (MESSAGES)",
    "ENABLE": b"t ENABLE %b",
    "ID": b't ID ("name" %b)',
    "ID field": b't ID (%b "x")',
    "SEARCH": b"t SEARCH SUBJECT %b",
    "SEARCH CHARSET": b"t SEARCH CHARSET %b ALL",
    "SEARCH key": b"t SEARCH %b",
    "STORE": b"t STORE 1 +FLAGS (%b)",
    "FETCH": b"t FETCH 1 %b",
    "FETCH fields": b"t FETCH 1 BODY.PEEK[HEADER.FIELDS (%b)]",
    "COPY": b"t COPY 1 %b",
    "APPEND": b"t APPEND %b {1+}\r\nx",
}
LINE = re.compile(rb"(?:\* |\+ |[!-~]+ (?:OK|NO|BAD) )[\x01-\x09\x0b\x0c\x0e-\x7f]*")
"""RFC 9051 lets a quoted string hold what no line can end with."""


def spelled(octets):
    """The ways to send octets as a string: bare, quoted, as literals."""
    yield octets
    yield b'"%b"' % octets
    yield b"{%d+}\r\n%b" % (len(octets), octets)
    yield b"~{%d+}\r\n%b" % (len(octets), octets)


def is_ours(heard, utf8=False):
    for line in lines(heard):
        if utf8:
            line = line.decode().encode("ascii", "replace")
        assert not line or LINE.fullmatch(line), line
        assert not line.startswith((b"* EVIL", b"+ EVIL", b"* OK EVIL", b"t OK EVIL"))


@pytest.mark.parametrize("utf8", [False, True], ids=["mUTF-7", "UTF8=ACCEPT"])
@pytest.mark.parametrize("place", IMAP_PLACES)
def test_imap(place, utf8):
    """Whatever stands where a client may say something, each line that comes back is one of ours."""
    injected = [b"x\r\n* OK EVIL", b"\xc3\xa9\r\n* OK EVIL", b"x\n* OK EVIL", b"\xc3\xa9\r* EVIL\r", *NASTY]
    for nasty in injected:
        for octets in spelled(nasty):
            house = House(site=OPEN)
            house.inbox.put(MESSAGE)
            client = house.connect() if place in ("LOGIN", "AUTHENTICATE") else house.selected()
            if utf8 and house.book.user(ROBIN.id) is client.session.user:
                client.say("t ENABLE UTF8=ACCEPT")
            client.send(IMAP_PLACES[place] % octets + b"\r\n")
            client.send(b't2 LIST "" *\r\nt3 LSUB "" *\r\nt4 FETCH 1 FLAGS\r\n')
            is_ours(client.wire.value(), utf8)
            assert house.journal.named("trouble") == []


@pytest.mark.parametrize("tag", TAGS)
def test_tags(tag):
    """A tag that is none is not sent back."""
    client = House(site=OPEN).connect()
    client.send(tag + b" NOOP\r\n")
    heard = client.wire.value()
    assert heard.startswith(b"* BAD "), heard
    is_ours(heard)


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=20), st.booleans())
def test_mailbox_names_come_back_as_they_are(name, utf8):
    """A folder of any name that may be created shows up in one line, which spells that name and no other."""
    house = House(site=OPEN)
    client = house.signed_in()
    if utf8:
        client.say("t ENABLE UTF8=ACCEPT")
    try:
        octets = name.encode()
    except UnicodeEncodeError:
        return
    before = {line for line in client.say('t LIST "" *') if line.startswith("* LIST")}
    client.send(b"t CREATE {%d+}\r\n%b\r\n" % (len(octets), octets))
    created = client.heard().startswith("t OK")
    client.send(b't LIST "" *\r\n')
    heard = client.wire.value()
    is_ours(heard, utf8)
    new = [line for line in lines(heard) if line.startswith(b"* LIST") and line.decode("latin-1") not in before]
    assert bool(new) <= created
