"""Whatever a client sends: a clear reply, nothing lost, and the node goes on for the others."""

import socket
import tomllib

import pytest

from tests.stories.house import VECTORS, fetch_all

INDEX = tomllib.loads((VECTORS / "index.toml").read_text())["message"]
BROKEN = [m["file"] for m in INDEX if m["file"].startswith("broken_")]


def still_serves(house):
    """A message still goes in and comes out."""
    before = len(house.read("robin"))
    with house.smtp("robin") as client:
        text = b"From: robin.smith@example.com\r\n\r\nstill\r\n"
        client.sendmail("robin.smith@example.com", ["robin.smith@example.com"], text)
    return len(house.read("robin")) == before + 1


def test_every_broken_vector(house):
    """Each is accepted and comes out as it went in, or is refused with a reason; then the node still serves."""
    accepted = []
    with house.smtp("robin") as client:
        for name in BROKEN:
            octets = (VECTORS / name).read_bytes()
            client.mail("robin.smith@example.com")
            client.rcpt("chris.jones@example.com")
            assert client.docmd("DATA")[0] == 354
            stuffed = octets.replace(b"\r\n.", b"\r\n..") if octets else b""
            client.send(stuffed + (b"" if not octets or octets.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            code, words = client.getreply()
            assert code in (250, 550, 554), (name, code, words)
            if code == 250:
                accepted.append(octets)
    assert accepted
    box = house.imap("chris")
    stored = list(fetch_all(box).values())
    assert len(stored) == len(accepted)
    for octets in accepted:
        assert any(message.endswith(octets) for message in stored)
    for what in ("ENVELOPE", "BODYSTRUCTURE", "BODY.PEEK[HEADER]", "BODY.PEEK[1]", "BODY.PEEK[1.1.1.1.MIME]"):
        box.select("INBOX")
        assert box.fetch("1:*", f"({what})")[0] == "OK"
    box.logout()
    assert still_serves(house)


def test_an_unterminated_line_of_100_megabytes(house):
    """The client is told once and cut off; memory stays where it was."""
    before = memory_kib(house)
    with socket.create_connection(("127.0.0.1", house.ports["submission"]), 60) as wire:
        wire.recv(4096)
        block = b"x" * 1_000_000
        said = b""
        try:
            for _ in range(100):
                wire.sendall(block)
        except OSError:
            pass
        try:
            while more := wire.recv(65536):
                said += more
        except OSError:
            pass
    assert said.startswith((b"500", b"421", b"554")) or said == b""
    assert memory_kib(house) - before < 20_000
    assert still_serves(house)


@pytest.mark.parametrize(
    "command",
    [
        b"a1 LOGIN {4294967296}\r\n",
        b"a1 LOGIN {4294967296+}\r\n",
        b"a1 LOGIN " + b"(" * 10_000 + b")" * 10_000 + b"\r\n",
    ],
    ids=["4-GB-literal", "4-GB-literal-plus", "10,000-parentheses"],
)
def test_absurd_imap_commands(house, command):
    """A 4 GB literal or 10,000 nested parentheses get BAD, NO or BYE at once."""
    with socket.create_connection(("127.0.0.1", house.ports["imap"]), 60) as wire:
        wire.recv(4096)
        wire.sendall(command)
        said = wire.recv(4096)
        assert said.startswith((b"a1 BAD", b"a1 NO", b"* BYE", b"* BAD")), said
    assert still_serves(house)


def test_deep_parentheses_after_sign_in(house):
    """The same inside a SEARCH of somebody who signed in."""
    box = house.imap("chris")
    box.select("INBOX")
    box.send(b"z1 SEARCH " + b"(" * 10_000 + b"ALL" + b")" * 10_000 + b"\r\n")
    assert box.readline().startswith((b"z1 BAD", b"z1 NO"))
    box.logout()


def test_a_message_too_large(house):
    """Refused at MAIL when announced, after the dot when not; the connection goes on."""
    house.run("site", "set", "smtp.max_message_kib=100")
    with house.smtp("robin") as client:
        code, words = client.mail("robin.smith@example.com", ["SIZE=200000"])
        assert (code, words[:5]) == (552, b"5.3.4")
        client.mail("robin.smith@example.com")
        client.rcpt("chris.jones@example.com")
        text = b"From: robin.smith@example.com\r\n\r\n" + (b"x" * 70 + b"\r\n") * 3000
        assert client.data(text)[0] == 552
        assert client.noop()[0] == 250
    assert house.read("chris") == {}


def memory_kib(house):
    with open(f"/proc/{house.process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
