"""The grammar of commands: what is an address, what is tolerated, and that nothing can break out of a line."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.smtp.commands import (
    BadSyntax,
    Path,
    from_base64,
    read_auth,
    read_host,
    read_mail,
    read_parameters,
    read_rcpt,
    split,
)

SENDERS = {
    "FROM:<robin@vm1.example.com>": Path("robin@vm1.example.com"),
    "from:<robin@vm1.example.com> SIZE=10 BODY=8BITMIME": Path("robin@vm1.example.com", "SIZE=10 BODY=8BITMIME"),
    "FROM: <robin@vm1.example.com>": Path("robin@vm1.example.com"),
    "FROM:<>": Path(""),
    "FROM: <> SIZE=1": Path("", "SIZE=1"),
    "FROM:<@a.example,@b.example:robin@c.example>": Path("robin@c.example"),
    'FROM:<"robin smith"@c.example>': Path('"robin smith"@c.example'),
    'FROM:<"robin"@c.example>': Path("robin@c.example"),
    'FROM:<"ro\\bin"@c.example>': Path("robin@c.example"),
    'FROM:<"a\\"b"@c.example>': Path('"a\\"b"@c.example'),
    'FROM:<"a>b@x"@c.example>': Path('"a>b@x"@c.example'),
    'FROM:<""@c.example>': Path('""@c.example'),
    "FROM:<robin@[192.0.2.1]>": Path("robin@[192.0.2.1]"),
    "FROM:<robin@[IPv6:2001:db8::1]>": Path("robin@[IPv6:2001:db8::1]"),
    "FROM:<o'brien+tag=x@c.example>": Path("o'brien+tag=x@c.example"),
    "FROM:<two..dots.@c.example>": Path("two..dots.@c.example"),
    "FROM:<a@under_score.example>": Path("a@under_score.example"),
    "FROM:<anaïs@exämple.com> SMTPUTF8": Path("anaïs@exämple.com", "SMTPUTF8"),
    'FROM:<"anaïs b"@c.example>': Path('"anaïs b"@c.example'),
}
NO_SENDERS = [
    "", "FROM", "FROM:", "FROM:robin@c.example", "FROM:<robin@c.example", "FROM:<robin@c.example>x", "FROM:<robin>",
    "FROM:<robin@>", "FROM:<@c.example>", "FROM:<a b@c.example>", "FROM:<a@b@c.example>", "FROM:<a@-c.example>",
    "FROM:<a@c..example>", "FROM:<a@[1.2.3]>", "FROM:<a@[IPv6:1.2.3.4]>", "FROM:<a@[IPv6:::1%eth0]>", "FROM:<a@[x]>",
    'FROM:<"a@c.example>', 'FROM:<"a"b@c.example>', "FROM:<a@c.example>>", "FROM:<<a@c.example>>",
    "TO:<robin@c.example>", "FROM :<a@c.example>", "FROM:<" + "a" * 600 + "@c.example>", "FROM:<a@" + "b" * 300 + ">",
    "FROM:<é" * 300, "FROM:<postmaster>", "FROM:<PostMaster>",
]


@pytest.mark.parametrize("argument", SENDERS)
def test_senders(argument):
    """Every form of a reverse-path that RFC 5321 and real clients use is understood."""
    assert read_mail(argument) == SENDERS[argument]


@pytest.mark.parametrize("argument", NO_SENDERS)
def test_no_senders(argument):
    """What is no path is refused as syntax."""
    with pytest.raises(BadSyntax) as refused:
        read_mail(argument)
    assert refused.value.reply.code in (501, 553)


def test_recipients():
    """A forward-path is never empty; <postmaster> needs no domain."""
    assert read_rcpt("TO:<Postmaster>") == Path("Postmaster")
    assert read_rcpt("To: <chris@vm1.example.com>") == Path("chris@vm1.example.com")
    with pytest.raises(BadSyntax):
        read_rcpt("TO:<>")
    with pytest.raises(BadSyntax):
        read_rcpt("FROM:<chris@vm1.example.com>")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"noop", ("NOOP", "")),
        (b"  Mail   FROM:<> ", ("MAIL", "FROM:<>")),
        (b"HELP me", ("HELP", "me")),
        ("vrfy é".encode(), ("VRFY", "é")),
    ],
)
def test_verbs(line, wanted):
    """Verbs are case-blind; spaces around arguments do not count."""
    assert split(line) == wanted


@pytest.mark.parametrize("line", [b"", b"  ", b"NO\0OP", b"MAIL FROM:<a@b>\nRCPT", b"A\rB", b"\xff\xfe", b"A\x1b[1m",
                                  "A\u0085B".encode(), "A\u2028B".encode()])
def test_lines_that_are_none(line):
    """Control characters, line separators and broken UTF-8 never come through."""
    with pytest.raises(BadSyntax):
        split(line)


def test_parameters():
    """Keywords are case-blind, each once."""
    assert read_parameters("size=10 Body=8BITMIME SMTPUTF8") == {"SIZE": "10", "BODY": "8BITMIME", "SMTPUTF8": None}
    for wrong in ("SIZE=", "=1", "SIZE=1 size=2", "A=b=c", "-A"):
        with pytest.raises(BadSyntax):
            read_parameters(wrong)


@pytest.mark.parametrize("host", ["bench.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "my_pc", "a.b.", "exämple.com"])
def test_hello(host):
    """Whatever a client calls itself is taken, as long as it is one word."""
    assert read_host(host) == host


@pytest.mark.parametrize("host", ["", "a b", "a<b", 'a"b', "a(b)", "x" * 256, "a;b"])
def test_no_hello(host):
    """Nothing that could read as something else in a Received field."""
    with pytest.raises(BadSyntax):
        read_host(host)


def test_auth():
    """The initial response is decoded; `=` is an empty one."""
    assert read_auth("plain AHgAeQ==") == ("PLAIN", b"\0x\0y")
    assert read_auth("LOGIN") == ("LOGIN", None)
    assert read_auth("LOGIN =") == ("LOGIN", b"")
    for wrong in ("PLAIN *", "PLAIN AHg", "PLAIN é"):
        with pytest.raises(BadSyntax):
            read_auth(wrong)


@given(st.binary(max_size=200))
def test_base64_round_trip(octets):
    """Any response comes through as it was sent."""
    assert from_base64(base64.b64encode(octets).decode()) == octets


@given(st.binary(max_size=300))
def test_garbage_never_crashes(line):
    """Any line is a command or bad syntax."""
    for read in (read_mail, read_rcpt, read_parameters, read_host, read_auth):
        try:
            read(split(b"X " + line)[1])
        except BadSyntax as refused:
            assert 500 <= refused.reply.code < 600


@given(st.text(st.sampled_from('abc.@<>"\\ :,[]é%'), max_size=30))
def test_addresses_never_hold_what_breaks_a_header(text):
    """An accepted address has no brackets or spaces outside quotes, and is the same when it is read again."""
    try:
        address = read_mail(f"FROM:<{text}>").address
    except BadSyntax:
        return
    if '"' not in address:
        assert not set(address) & set('<>" \\,')
    assert read_mail(f"FROM:<{address}>").address == address
