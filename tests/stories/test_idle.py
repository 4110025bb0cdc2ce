"""A second connection that idles is told of a delivery without asking."""

from tests.stories.house import VECTORS


def test_idle_sees_a_delivery(house):
    """`* 1 EXISTS` arrives while the client waits."""
    box = house.imap("chris")
    box.select("INBOX")
    box.send(b"i1 IDLE\r\n")
    assert box.readline() == b"+ idling\r\n"
    with house.smtp("robin") as client:
        text = (VECTORS / "email_plain.eml").read_bytes()
        client.sendmail("robin.smith@example.com", ["chris.jones@example.com"], text)
    line = box.readline()
    while line.startswith(b"* OK"):
        line = box.readline()
    assert line == b"* 1 EXISTS\r\n"
    box.send(b"DONE\r\n")
    while not line.startswith(b"i1 "):
        line = box.readline()
    assert line.startswith(b"i1 OK")
    box.logout()
