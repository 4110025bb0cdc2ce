"""MAIL and RCPT as this server understands them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.relay.play import TOLD, letter
from unitymail.mail.envelope import Recipient
from unitymail.relay.envelope import Manner, is_sendable, mail_line, rcpt_line, xtext
from unitymail.relay.offers import NOTHING, Offers, offers_of, words_of
from unitymail.smtp.commands import read_mail, read_parameters, read_rcpt
from unitymail.smtp.dsn import read_envid, read_orcpt

ALL = offers_of(words_of(
    "mx\nPIPELINING\nSIZE 0\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME\nDSN\nREQUIRETLS\nDELIVERBY 10\nXUNITYMAIL\n"
    "MT-PRIORITY"
))  # fmt: skip
ROBIN = "robin@vm1.example.com"


def mail(outgoing, offers, **manner):
    return mail_line(outgoing, Manner(outgoing.sender, **manner), offers).decode()


def test_everything_offered(tmp_path):
    """Each parameter stands where the server knows it."""
    outgoing = letter(
        tmp_path, b"x" * 300, smtputf8=True, ret="HDRS", envid="a+b c", require_tls=True, deliver_by=5.0,
        deliver_by_mode="R", told=TOLD, priority=-4,
    )
    assert mail(outgoing, ALL, body="8bitmime", seconds_left=42) == (
        "MAIL FROM:<robin@vm1.example.com> SIZE=300 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb+20c REQUIRETLS BY=42;R "
        "MT-PRIORITY=-4 XID=a.TRACE-1 XTRACE=TRACE-1 XSENDER=robin@vm1.example.com XKIND=user XCATEGORY=voice "
        "XSENSITIVITY=private XSECURE=yes"
    )


def test_nothing_offered(tmp_path):
    """A server of 1982 hears nothing that it does not know."""
    outgoing = letter(
        tmp_path, smtputf8=True, ret="FULL", envid="e", require_tls=True, deliver_by=5.0, told=TOLD, priority=9
    )
    assert mail(outgoing, NOTHING, body="8bitmime", seconds_left=42) == "MAIL FROM:<robin@vm1.example.com>"
    recipient = Recipient("kim@example.net", frozenset({"NEVER"}), "rfc822;kim@example.net")
    assert rcpt_line(recipient, NOTHING) == b"RCPT TO:<kim@example.net>"


def test_nothing_asked_for(tmp_path):
    """Whatever the server offers, nothing is wanted of it that the sender did not want."""
    assert mail(letter(tmp_path, b"x" * 300), ALL) == "MAIL FROM:<robin@vm1.example.com> SIZE=300"
    assert rcpt_line(Recipient("kim@example.net"), ALL) == b"RCPT TO:<kim@example.net>"


def test_null_sender(tmp_path):
    """A report has the null reverse-path."""
    assert mail(letter(tmp_path, sender=""), NOTHING) == "MAIL FROM:<>"


def test_a_trace_is_asked_of_each_hop(tmp_path):
    """RFC 2852 4: who wants to hear of each hop, wants to hear of those behind the next too."""
    outgoing = letter(tmp_path, deliver_by=1.0, deliver_by_mode="R", deliver_by_trace=True)
    assert mail(outgoing, ALL, seconds_left=9).endswith(" BY=9;RT")


def test_deliver_by_has_nine_digits(tmp_path):
    """RFC 2852 4: more digits than nine would be a syntax error there."""
    outgoing = letter(tmp_path, deliver_by=1.0, deliver_by_mode="N")
    assert mail(outgoing, ALL, seconds_left=10**12).endswith("BY=999999999;N")
    assert mail(outgoing, ALL, seconds_left=-5).endswith("BY=-5;N")


@pytest.mark.parametrize(("recipient", "line"), [
    (Recipient("kim@example.net"), "RCPT TO:<kim@example.net>"),
    (Recipient("kim@example.net", frozenset({"SUCCESS", "DELAY"})), "RCPT TO:<kim@example.net> NOTIFY=DELAY,SUCCESS"),
    (Recipient("kim@example.net", None, "rfc822;k+x=y@example.net"),
     "RCPT TO:<kim@example.net> ORCPT=rfc822;k+2Bx+3Dy@example.net"),
    (Recipient("k@example.net", None, "utf-8;é+@example.net"),
     "RCPT TO:<k@example.net> ORCPT=utf-8;\\x{E9}\\x{2B}@example.net"),
])  # fmt: skip
def test_recipients(recipient, line):
    """NOTIFY and ORCPT in the forms of RFC 3461 and RFC 6533."""
    assert rcpt_line(recipient, ALL).decode() == line


@pytest.mark.parametrize(("address", "good"), [
    ("kim@example.net", True), ('"kim smith"@example.net', True), ('"a\\"b>"@example.net', True),
    ("kíñ@example.net", True), ("k@[IPv6:::1]", True), ("postmaster", True),
    ("kim@example.net> SIZE=1", False), ("kim@example.net\r\nRSET", False), ("kim smith@example.net", False),
    ("<kim@example.net", False), ('"kim"@exa mple', False), ("kim\x00@example.net", False), ("", False),
    ('"a\r\nb"@example.net', False), ("kim@example.net\u2028", True), ("kim\x85@example.net", False),
    ("k\ud800@example.net", False), ('"k\udfff"@example.net', False), ('"k"@exampl\udc80.net', False),
])  # fmt: skip
def test_addresses_that_end_no_command(address, good):
    """An address can never become a second command or a parameter."""
    assert is_sendable(address) is good


@given(st.text(max_size=80))
def test_sendable_addresses_stay_addresses(address):
    """Whatever may be sent is one line, and one path for our own door."""
    if is_sendable(address):
        line = rcpt_line(Recipient(address), NOTHING)
        assert line == b"RCPT TO:<" + address.encode() + b">"
        assert b"\r" not in line and b"\n" not in line


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
def test_our_own_door_reads_it(text):
    """ENVID and ORCPT come back as they were."""
    assert read_envid(xtext(text)) == text
    line = rcpt_line(Recipient("kim@example.net", None, f"rfc822;{text}"), Offers(dsn=True)).decode()
    parameters = read_parameters(read_rcpt(line[5:]).parameters)
    assert read_orcpt(parameters["ORCPT"]) == f"rfc822;{text}"


def test_our_own_door_reads_what_peers_are_told(tmp_path):
    """The words for peers are parameters like any other."""
    line = mail(letter(tmp_path, told=TOLD), ALL)
    path = read_mail(line[5:])
    assert path.address == ROBIN
    assert read_parameters(path.parameters)["XCATEGORY"] == "voice"
