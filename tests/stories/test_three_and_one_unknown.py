"""A message to three users here and one nobody knows: one file in three mailboxes, and one report to the sender."""

import email
import email.policy

from tests.stories.house import VECTORS, fetch_all

TEXT = (VECTORS / "email_plain.eml").read_bytes()
EVERYBODY = ["chris.jones@example.com", "terry@vm1.example.com", "sam@vm1.example.com", "nobody@vm1.example.com"]


def test_one_inode_and_one_report(house):
    """Three deliveries share the inode; Robin is told of the fourth, once."""
    house.add_user("terry")
    house.add_user("sam")
    robin = house.imap("robin")
    robin.select("INBOX")
    with house.smtp("robin") as client:
        assert client.sendmail("robin.smith@example.com", EVERYBODY, TEXT) == {}
    files = [
        path for alias in ("chris", "terry", "sam") for part in ("new", "cur")
        for path in (house.account(alias) / part).glob("*")
    ]  # fmt: skip
    assert len(files) == 3
    assert len({path.stat().st_ino for path in files}) == 1
    while not robin.recent()[1][0]:
        robin.noop()
    (octets,) = fetch_all(robin).values()
    report = email.message_from_bytes(octets, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    words, status, original = report.iter_parts()
    assert "nobody@vm1.example.com" in words.get_content()
    groups = status.get_payload()[1:]
    assert [(g["Final-Recipient"], g["Action"], g["Status"]) for g in groups] == [
        ("rfc822; nobody@vm1.example.com", "failed", "5.1.1")
    ]
    assert original.get_content_type() in ("message/rfc822", "text/rfc822-headers")
    robin.logout()


def test_a_stranger_learns_at_once(house):
    """Without signing in, an unknown recipient is refused at RCPT: no report to a forged sender."""
    house.run("access", "add", "127.0.0.1", "--allow")
    house.run("access", "remove", "127.0.0.1")
    house.run("site", "set", "smtp.untrusted_require_auth=false", "smtp.untrusted_tls=optional")
    with house.smtp(door="smtp") as client:
        client.ehlo()
        client.mail("robin.smith@example.com")
        code, words = client.rcpt("nobody@vm1.example.com")
        assert (code, words[:5]) == (550, b"5.1.1")
        assert client.rcpt("chris.jones@example.com")[0] == 250
