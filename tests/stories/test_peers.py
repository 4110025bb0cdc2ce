"""Messages between nodes of one site: exactly one copy, whatever ends or is killed, and only between nodes that know
each other's key."""

import collections
import contextlib
import datetime
import re
import signal
import smtplib
import ssl
import threading

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.relay.certificates import Pair
from tests.stories.cutting import Cutting
from tests.stories.house import until
from tests.stories.site import CHRIS, DANA, ROBIN, letter, tag


@contextlib.contextmanager
def other_certificate(house, pair, **how):
    """A node with another certificate, taken up on SIGHUP."""
    folder = house.folder / "tls"
    before = {name: (folder / name).read_bytes() for name in ("cert.pem", "key.pem")}
    _take(house, {"cert.pem": pair.certificate("localhost", **how), "key.pem": pair.key})
    try:
        yield
    finally:
        _take(house, before)


def _take(house, files):
    for name, octets in files.items():
        (house.folder / "tls" / name).write_bytes(octets)
    house.process.send_signal(signal.SIGHUP)
    shown = ssl.PEM_cert_to_DER_cert(files["cert.pem"].decode())
    address = ("127.0.0.1", house.ports["submissions"])
    until(lambda: ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(address)) == shown, house.journal)


def same_key(house):
    """A pair with the node's own key, for a certificate that is renewed."""
    pair = Pair()
    pair.key = (house.folder / "tls" / "key.pem").read_bytes()
    pair.private = load_pem_private_key(pair.key, None)
    return pair


@contextlib.contextmanager
def by_wire(site):
    """Node A reaches B by a wire that may be cut; no connection that was there before is used."""
    with Cutting(site.b.ports["smtp"]) as wire:
        site.a.run("peer", "set", "node-b", "--port", str(wire.port))
        try:
            yield wire
        finally:
            site.a.run("peer", "set", "node-b", "--port", str(site.b.ports["smtp"]))


def retry_until_quiet(site):
    """As an operator who has mended something."""

    def quiet():
        site.a.run("queue", "retry", "--all", check=False)
        return not any(site.waiting(house) for house in site.houses.values())

    until(quiet, site.journals)


def test_cut_off_after_the_last_octet(site):
    """The connection ends when node B has the whole message and A not yet the reply: A sends it again, and B knows.

    Where A has heard nothing at all, since the message went with its envelope, it does so at once.
    """
    word = tag()
    with by_wire(site) as wire:
        warm = tag()
        site.a.submit("robin", [CHRIS], letter("email_plain", warm), sender=ROBIN)
        site.inbox(site.b, "chris", warm)
        wire.deafen(20_000)
        trace = site.a.submit("robin", [CHRIS], letter("viewmail_voice", word), sender=ROBIN)
        site.b.hears(" transaction ", "outcome=accepted", f"message_id=<{word}@example.com>")
        wire.cut()
        site.a.hears(" attempted ", trace)
        retry_until_quiet(site)
    site.inbox(site.b, "chris", word)
    site.b.hears("sent-again")

    def told():
        story = " ".join(site.a.run("trace", trace).split())
        return "ended after the final dot and before the reply" in story or "Accepted before" in story

    until(told, site.journals)


class Sender(threading.Thread):
    """Submits its numbers at node A; where the connection breaks it goes on in A's next life, with the next."""

    def __init__(self, house, word, numbers, alive, counted):
        super().__init__(daemon=True)
        self.house, self.word, self.numbers, self.alive, self.counted = house, word, numbers, alive, counted
        self.acknowledged = []

    def run(self):
        client = None
        for number in self.numbers:
            text = f"From: {ROBIN}\r\nSubject: {self.word} number {number}.\r\n\r\n" + "x" * 2000 + "\r\n"
            try:
                client = client or self.house.smtp("robin")
                client.sendmail(ROBIN, [CHRIS], text)
                self.acknowledged.append(number)
            except (OSError, smtplib.SMTPException):
                client = None
                self.alive.wait(60)
            self.counted.release()
        if client:
            client.close()


def test_killed_while_handing_over(site):
    """Both nodes are killed in turn while 300 messages go from A to B: each that A took is in Chris's mailbox once."""
    word, many = tag(), 300
    alive, counted = threading.Event(), threading.Semaphore(0)
    alive.set()
    senders = [Sender(site.a, word, range(first, many, 3), alive, counted) for first in range(3)]
    for sender in senders:
        sender.start()
    for victim in (site.b, site.a, site.b, site.a):
        for _ in range(50):
            assert counted.acquire(timeout=60)
        if victim is site.a:
            alive.clear()
        victim.kill()
        victim.start()
        alive.set()
    for sender in senders:
        sender.join(60)
        assert not sender.is_alive()
    retry_until_quiet(site)
    acknowledged = {number for sender in senders for number in sender.acknowledged}
    texts = site.b.read("chris", what="BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values()
    found = collections.Counter(
        int(match[1]) for text in texts if (match := re.search(rb"%s number (\d+)\." % word.encode(), text))
    )
    assert [number for number, times in found.items() if times > 1] == []
    assert acknowledged - set(found) == set()
    assert len(acknowledged) > many // 2


def test_a_renewed_certificate(site):
    """Both nodes renew their certificates, the keys stay: nobody has to be told."""
    word, back = tag(), tag()
    with contextlib.ExitStack() as stack:
        for house in (site.a, site.b):
            stack.enter_context(other_certificate(house, same_key(house)))
        stack.enter_context(by_wire(site))
        site.a.submit("robin", [CHRIS], letter("email_plain", word), sender=ROBIN)
        site.inbox(site.b, "chris", word)
        site.b.submit("chris", [ROBIN], letter("email_plain", back, From=CHRIS), sender=CHRIS)
        site.inbox(site.a, "robin", back)


@pytest.mark.parametrize("whose", ["b", "a"])
def test_a_strangers_key(site, whose):
    """A node with a key that the other does not know gets no mail, and its own is not taken: it waits until an operator
    enters the new key. `peer status` says so."""
    word, house, pair = tag(), site.houses[whose], Pair()
    other, name = (site.a, "node-b") if whose == "b" else (site.b, "node-a")
    fingerprint = house.ask("peer", "key")["fingerprint"]
    try:
        with other_certificate(house, pair), by_wire(site):
            trace = site.a.submit("robin", [CHRIS], letter("email_plain", word), sender=ROBIN)
            site.a.hears(" attempted ", trace, "done=0")
            assert site.having(site.b, "chris", word) == []
            status = site.a.run("peer", "status", "node-b", check=False)
            assert (status.returncode, "node-b" in status.stdout) == (1, True)
            assert "key" in status.stdout or "know" in status.stdout
            other.run("peer", "set", name, "--fingerprint", pair.fingerprint)
            retry_until_quiet(site)
            site.inbox(site.b, "chris", word)
    finally:
        other.run("peer", "set", name, "--fingerprint", fingerprint)


def test_an_expired_certificate(site):
    """The key is what counts: an expired certificate stops no mail, and `peer status` shows since when it is."""
    word = tag()
    with other_certificate(site.b, same_key(site.b), days=-1), by_wire(site):
        trace = site.a.submit("robin", [CHRIS], letter("email_plain", word), sender=ROBIN)
        assert "done=1" in site.a.hears(" attempted ", trace)
        (status,) = site.a.ask("peer", "status", "node-b")
        ends = datetime.datetime.fromisoformat(status["certificate_expires"])
        assert (status["ok"], ends < datetime.datetime.now(datetime.UTC)) == (True, True)
    site.inbox(site.b, "chris", word)


def test_a_stranger_with_our_name(site):
    """Who claims to be node A without its key is a stranger: XUNITYMAIL is not offered, its parameters are refused."""
    with site.b.smtp(door="smtp") as client:
        client.ehlo("localhost")
        assert "xunitymail" not in client.esmtp_features
        code, words = client.mail(ROBIN, ["XID=n.t", "XTRACE=t", "XKIND=user", "XCATEGORY=voice",
                                          "XSENSITIVITY=normal", "XSECURE=no"])
        assert code in (530, 550, 555), words


def test_a_peer_that_is_away(site):
    """Mail for it waits, `peer status` and `queue list` say why; when it is back and the operator retries, it goes."""
    words = [tag() for _ in range(3)]
    site.c.stop()
    try:
        for word in words:
            site.a.submit("robin", [DANA], letter("email_plain", word), sender=ROBIN)
        site.a.hears("hop-down", "node-c")
        status = site.a.run("peer", "status", "node-c", check=False)
        assert (status.returncode, "refused" in status.stdout or "reach" in status.stdout) == (1, True)
        until(lambda: len(site.a.ask("queue", "list", "--to", "example.com")) == 3, site.journals)
    finally:
        site.c.start()
    retry_until_quiet(site)
    for word in words:
        site.inbox(site.c, "dana", word)
    assert site.a.run("peer", "status", "node-c", check=False).returncode == 0


def test_a_peer_that_is_removed(site):
    """A peer who is somebody's home stays; once nobody's, what waits for it goes back to the sender."""
    word = tag()
    with Cutting(site.b.ports["smtp"]) as wire:
        port = wire.port
    site.a.run("peer", "add", "ghost", "--host", "localhost", "--port", str(port), "--domain", "ghost.example.net",
               "--fingerprint", "0c" * 32)
    site.a.run("user", "add", "gail", "--display-name", "Gail Host", "--home", "ghost")
    trace = site.a.submit("robin", ["gail@ghost.example.net"], letter("email_plain", word), sender=ROBIN)
    site.a.hears("hop-down", "ghost")
    assert site.a.run("peer", "remove", "ghost", check=False).returncode == 1
    site.a.run("user", "delete", "gail")
    site.a.run("peer", "remove", "ghost")
    retry_until_quiet(site)
    report = site.told(site.a, "robin", word)
    assert report.groups == [("gail@ghost.example.net", "failed", "5.3.5")] and trace in report.words
