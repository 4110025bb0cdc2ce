"""What a report says of recipients."""

import pathlib

from hypothesis import given
from hypothesis import strategies as st

from tests.mail.garbage import garbage
from unitymail.mail.returned import MOST_GROUPS, Returned, returned
from unitymail.mail.structure import scan

VECTORS = pathlib.Path(__file__).parents[1] / "vectors"


def of(octets):
    return returned(octets, scan(octets).root)


def test_a_report_names_its_recipients():
    """Both addresses, the action and the code, of each recipient, the message's own group left out."""
    assert of((VECTORS / "dsn_failure.eml").read_bytes()) == [
        Returned("1042@vm2.example.net", "chris.jones@example.net", "failed", "5.1.1")]
    assert [one.action for one in of((VECTORS / "dsn_success.eml").read_bytes())] == ["delivered"]


def test_a_status_part_alone_and_an_encoded_one():
    """Some gateways send the part by itself, or in quoted-printable."""
    group = b"Final-Recipient: rfc822; <a@b.example>\r\nAction: Failed (for good)\r\nStatus: 5.1.1 (unknown)\r\n"
    alone = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n" + group
    expected = [Returned("a@b.example", "", "failed", "5.1.1")]
    assert of(alone) == expected
    encoded = alone.replace(b"\r\n\r\nRep", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nRep")
    assert of(encoded.replace(b"@b", b"=40b")) == expected


def test_no_report_returns_nothing():
    """Read receipts and mail for people are no reports of delivery."""
    for name in ("mdn_read.eml", "email_plain.eml", "broken_empty.eml"):
        assert of((VECTORS / name).read_bytes()) == []


def test_it_is_bounded():
    """A report of very many recipients is read to the limit."""
    group = b"Final-Recipient: rfc822;a@b\r\n\r\n"
    assert 0 < len(of(b"Content-Type: message/delivery-status\r\n\r\n" + group * 5_000)) <= MOST_GROUPS


@given(st.one_of(garbage, st.binary(max_size=500)))
def test_garbage_returns_whatever(octets):
    """Nothing raises."""
    of(b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: " + octets)
    of(octets)
