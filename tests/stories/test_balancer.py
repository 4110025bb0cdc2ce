"""A node behind a load balancer: swaks and curl speak the PROXY protocol as it does, from an address of its own."""

import smtplib
import socket
import subprocess

import pytest

from tests.stories.house import PATIENCE_S, House, needs, no_check

BALANCER, OTHER = "127.0.0.5", "127.0.0.6"
FRIEND, FOE, STRANGER = "203.0.113.9", "203.0.113.10", "192.0.2.7"
SENDER, RECIPIENT = "robin.smith@example.com", "chris.jones@example.com"


@pytest.fixture(scope="module")
def node(model, tmp_path_factory):
    """A running node that trusts the balancer's address, and what the balancer says of others."""
    home = House.like(model, tmp_path_factory.mktemp("balanced") / "node")
    text = home.config.read_text()
    for door in ("smtp", "submission", "submissions", "imap", "imaps"):
        text = text.replace(f"\n{door} = []\n", f'\n{door} = ["{BALANCER}"]\n')
    home.config.write_text(text)
    home.start()
    for ip, kind in ((FRIEND, "--allow"), (FOE, "--deny"), (BALANCER, "--allow")):
        home.run("access", "add", ip, kind)
    yield home
    home.stop()
    home.expect_short_turns()


def connected(node, door, *, through=BALANCER, header=b""):
    found = socket.create_connection(("127.0.0.1", node.ports[door]), PATIENCE_S, (through, 0))
    found.sendall(header)
    return found


def header(source):
    return f"PROXY TCP4 {source} 198.51.100.1 40000 25\r\n".encode()


LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"


def swaks(node, source, version, *more):
    needs("swaks")
    family = "TCP4" if version == 1 else "AF_INET"
    done = subprocess.run(
        ["swaks", "--server", "127.0.0.1", "--port", str(node.ports["smtp"]), "--local-interface", BALANCER, "--from",
         SENDER, "--to", RECIPIENT, "--proxy-version", str(version), "--proxy-family", family, "--proxy-source", source,
         "--proxy-source-port", "40000", "--proxy-dest", "198.51.100.1", "--proxy-dest-port", "25", *more],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.mark.parametrize("version", [1, 2])
def test_the_address_it_names_is_the_clients(node, version):
    """It is trusted, denied or a stranger by its own address, and so it stands in the journal and in Received."""
    subject = f"Through a balancer, version {version}"
    assert "250 2.0.0 Accepted" in swaks(node, FRIEND, version, "--header", f"Subject: {subject}")
    node.hears("transaction ", "outcome=accepted", f"client={FRIEND} ")
    letters = [file for room in ("new", "cur") for file in (node.account("chris") / room).iterdir()]
    [letter] = [octets for octets in (file.read_bytes() for file in letters) if subject.encode() in octets]
    assert f"([{FRIEND}])".encode() in letter
    assert "554 5.7.1 Connections from your address" in swaks(node, FOE, version)
    assert "530 5.7.0 Must issue a STARTTLS" in swaks(node, STRANGER, version)


def test_a_sign_in_through_it(node):
    """On the door that is all TLS the header comes before the handshake; the journal has the client's address."""
    with no_check().wrap_socket(connected(node, "submissions", header=header(STRANGER))) as secure:
        client = smtplib.SMTP(timeout=PATIENCE_S)
        client.sock = secure
        assert client.getreply()[0] == 220
        client.login("robin", node.passwords["robin"])
        client.quit()
    node.hears("signed-in ", "door=submissions", "user=robin", f"client={STRANGER} ")


def test_curl_reads_mail_through_it(node):
    """IMAP knows the client too: a password in the clear is not asked of one far away, nor is it taken."""
    needs("curl")
    got = subprocess.run(
        ["curl", "--silent", "--show-error", "--insecure", "--haproxy-protocol", "--interface", BALANCER, "--user",
         f"chris:{node.passwords['chris']}", f"imaps://127.0.0.1:{node.ports['imaps']}/INBOX", "--request", "NOOP"],
        capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert got.returncode == 0, got.stderr
    for source, offered in ((STRANGER, False), ("127.0.0.1", True)):
        with connected(node, "imap", header=header(source)) as found:
            greeting = found.recv(4096)
        assert greeting.startswith(b"* OK ") and (b"LOGINDISABLED" not in greeting) is offered


def test_a_balancer_that_names_nobody(node):
    """Its health checks are answered as a stranger's, though its address is on the list."""
    for door, greeting, offered in (("smtp", b"220 ", b"AUTH"), ("imap", b"* OK ", b" AUTH=")):
        with connected(node, door, header=LOCAL) as found:
            said = found.recv(4096)
            assert said.startswith(greeting)
            if door == "smtp":
                found.sendall(b"EHLO balancer.example\r\nMAIL FROM:<robin.smith@example.com>\r\n")
                while b"530 5.7.0 " not in said:
                    said += found.recv(4096)
            assert offered not in said


def test_its_header_is_due(node):
    """Within five seconds, and as the first thing: else the connection ends with the reason."""
    with connected(node, "smtp") as silent, connected(node, "imap", header=b"a NOOP\r\n") as hasty:
        assert hasty.recv(4096).startswith(b"* BYE From your address a PROXY header is due first")
        assert silent.recv(4096).startswith(b"421 4.4.2 From your address a PROXY header is due within 5 seconds")


@pytest.mark.parametrize("octets", [header(FRIEND), LOCAL])
def test_nobody_else_names_an_address(node, octets):
    """A header from any other address is refused at every door, and the connection ends."""
    for door, refusal in (("submission", b"554 5.7.1 PROXY"), ("imap", b"* BYE PROXY"), ("imaps", b"")):
        with connected(node, door, through=OTHER, header=octets) as found:
            said = b""
            try:
                while octets_in := found.recv(4096):
                    said += octets_in
            except ConnectionResetError:
                assert door == "imaps"
            assert refusal in said and (said == b"") is (door == "imaps")
    node.hears("turned-away ", "door=submission ", f"client={OTHER} ", "code=554")
