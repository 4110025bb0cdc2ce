"""Operating a node: numbers for Prometheus, a line per transaction, the status, certificates for several names."""

import base64
import http.client
import json
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.certificates import DAY, certificate, new_key, pem_of
from tests.stories.house import PATIENCE_S, House, free_ports, needs, no_check, until

LETTER = b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: Hello\r\n\r\nHi.\r\n"
ROBIN, CHRIS = "robin.smith@example.com", "chris.jones@example.com"


class Watched:
    """A house whose numbers are shown at a port."""

    def __init__(self, house):
        self.house = house
        [self.port] = free_ports(1)
        text = house.config.read_text()
        assert "\nmetrics = 0\n" in text
        house.config.write_text(text.replace("\nmetrics = 0\n", f"\nmetrics = {self.port}\n"))

    def ask(self, line="GET /metrics"):
        """The answer to one request of HTTP."""
        method, where = line.split()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, where)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def numbers(self):
        """{(name, values of labels...): number}, each number as Prometheus reads it."""
        code, text = self.ask()
        assert code == 200
        return {
            (sample.name.removeprefix("unitymail_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def until(self, true, what="the numbers come to what was done"):
        """The numbers, as soon as they are so; a page may be a second old, and so may what workers told."""
        found = {}

        def so():
            found.clear()
            found.update(self.numbers())
            return true(found)

        until(so, lambda: f"{what}: {json.dumps({' '.join(k): v for k, v in found.items()}, indent=1)}")
        return found


def make_pair(folder, *names, key=None, **how):
    folder.mkdir(parents=True, exist_ok=True)
    key = key or new_key()
    octets = certificate(key, *names, **how)
    (folder / "cert.pem").write_bytes(octets)
    (folder / "key.pem").write_bytes(pem_of(key))
    return ssl.PEM_cert_to_DER_cert(octets.decode())


def do_all_kinds_of_things(house):
    """Two messages accepted, one refused, one abandoned; a wrong password; a mailbox read."""
    with house.smtp("robin") as client:
        assert client.sendmail(ROBIN, [CHRIS, ROBIN], LETTER) == {}
        client.mail(ROBIN)
        client.rcpt(CHRIS)
        assert client.data(LETTER.replace(b"robin.smith", b"boss"))[0] == 550
        client.mail(ROBIN)
        client.rcpt(CHRIS)
        client.rset()
    with house.smtp("robin", "submissions") as client:
        client.sendmail(ROBIN, [CHRIS], LETTER)
    with house.smtp() as client:
        client.ehlo()
        assert client.docmd("AUTH PLAIN", base64.b64encode(b"\0chris\0wrong").decode())[0] == 535
    with house.imap("chris") as box:
        box.select("INBOX")
        box.fetch("1", "(BODY.PEEK[])")


NUMBERS = {
    ("messages_accepted_total",): 2, ("deliveries_total",): 3, ("troubles_total",): 0,
    ("connections_total", "submission"): 2, ("connections_total", "submissions"): 1,
    ("connections_total", "imaps"): 1, ("connections_open", "imaps"): 0, ("connections_open", "submission"): 0,
    ("replies_total", "submission", "550"): 1, ("replies_total", "submission", "535"): 1,
    ("replies_total", "submission", "235"): 1, ("replies_total", "submissions", "235"): 1,
    ("sign_ins_total", "imaps", "LOGIN", "ok"): 1, ("sign_ins_total", "submission", "PLAIN", "bad-credentials"): 1,
    ("answer_seconds_count", "submission", "message"): 1, ("answer_seconds_count", "submissions", "message"): 1,
    ("answer_seconds_count", "imaps", "FETCH"): 1, ("queue_messages",): 0, ("bad_mail_messages",): 0,
    ("events_total", "transaction"): 4,
}  # fmt: skip
"""What `do_all_kinds_of_things` counts."""


def as_done(found):
    return all(found.get(key) == number for key, number in NUMBERS.items())


def check_the_rest(found):
    assert found["received_bytes_total", "submission"] > 2 * len(LETTER)
    assert found["sent_bytes_total", "imaps"] > len(LETTER)
    assert found["certificate_expires_seconds", "localhost"] > 1_800_000_000


def test_numbers_of_what_was_done(stopped_house):
    """After real mail the page has exactly what was done; it is there on this machine only, and nothing else is."""
    watched = Watched(stopped_house)
    house = stopped_house.start()
    assert house.hears(" ready ", f"metrics=127.0.0.1:{watched.port}")
    do_all_kinds_of_things(house)
    found = watched.until(as_done)
    check_the_rest(found)
    assert (found[("workers",)], found[("processes",)]) == (1, 1)
    assert [watched.ask(line)[0] for line in ("GET /", "POST /metrics", "GET /metrics/x")] == [404] * 3
    other = socket.socket()
    with other, pytest.raises(OSError):
        other.connect(("127.0.0.2", watched.port))
    with house.imap("chris") as box:
        watched.until(lambda found: found["connections_open", "imaps"] == 1)
        box.noop()
    for _ in range(20):
        watched.numbers()
    house.stop()
    house.expect_short_turns()
    assert "Traceback" not in house.journal()


def test_numbers_of_all_workers(model, tmp_path):
    """The parent adds up what its workers did; when one is killed no counter falls, and its connections are gone."""
    house = House.like(model, tmp_path / "node", workers=2)
    watched = Watched(house)
    try:
        house.start()
        do_all_kinds_of_things(house)
        check_the_rest(watched.until(as_done))
        boxes = [house.imap("chris") for _ in range(4)]
        before = watched.until(lambda found: found["connections_open", "imaps"] == 4)
        assert (before[("workers",)], before[("processes",)]) == (2, 3)
        for worker in house.ask("status")["workers"]:
            subprocess.run(["kill", "-9", str(worker["pid"])], check=True)
        after = watched.until(lambda found: found.get(("connections_open", "imaps"), 0) == 0
                              and found.get(("processes",)) == 3)
        assert [key for key, value in before.items() if key[0].endswith("_total") and after.get(key, 0) < value] == []
        for box in boxes:
            box.shutdown()
        house.submit("robin", [CHRIS], LETTER, sender=ROBIN)
        watched.until(lambda found: found[("messages_accepted_total",)] == before[("messages_accepted_total",)] + 1)
    finally:
        house.stop()
    house.expect_short_turns()


def test_no_numbers_unless_asked_for(house):
    """The port is closed in a node as `init` makes it."""
    assert house.ask("status")["metrics"] is None
    assert "metrics=" not in house.hears(" ready ")


def test_a_line_for_each_transaction(house):
    """Accepted, refused and abandoned: each ends in one line, with who, for whom, the reply and the time it took."""
    do_all_kinds_of_things(house)
    with house.smtp("robin") as client:
        client.mail(ROBIN)
        client.rcpt(CHRIS)
        client.sock.close()
        client.close()
    house.hears(" transaction ", "outcome=abandoned", 'why="the connection ended"')
    lines = [line for line in house.output if " transaction " in line]
    outcomes = [re.search(r" outcome=(\S+) ", line)[1] for line in lines]
    assert sorted(outcomes) == ["abandoned", "abandoned", "accepted", "accepted", "refused"]
    first = lines[0]
    for words in (" door=submission ", " client=127.0.0.1 ", " tls=TLSv1.3:TLS_AES_256_GCM_SHA384 ", " user=robin ",
                  f" sender={ROBIN} ", " recipients=2 ", f" to={CHRIS},{ROBIN} ", " refused=0 ", " code=250 ",
                  " category=email "):
        assert words in first, words
    assert re.search(r" ms=\d+ ", first)
    refused = next(line for line in lines if "outcome=refused" in line)
    assert " warning transaction " in refused
    assert " code=550 status=5.7.1 text=" in refused
    trace = re.search(r" trace=(\S+) ", refused)[1]
    assert [line for line in house.output if trace in line] == [refused]
    gone = house.hears(" disconnected ", "door=submissions")
    assert re.search(r" octets_in=\d{3,} octets_out=\d{3,} messages=1 seconds=\d+\.\d ", gone)


def test_a_transaction_that_the_end_of_the_node_cuts_off(model, tmp_path):
    """One that waits for commands and one in the middle of its message: a line each, before the log ends."""
    house = House.like(model, tmp_path / "node", workers=2)
    clients = []
    try:
        house.start()
        for half_a_letter in (False, True):
            clients.append(client := house.smtp("robin"))
            client.mail(ROBIN)
            client.rcpt(CHRIS)
            if half_a_letter:
                client.docmd("DATA")
                client.send(LETTER)
        storm(house)
    finally:
        house.stop()
        for client in clients:
            client.close()
    lines = [line for line in house.output if " transaction " in line]
    assert [re.search(r" outcome=(\S+) ", line)[1] for line in lines] == ["abandoned"] * 2
    assert sorted(re.search(r" size=(\d+) ", line)[1] == "0" for line in lines) == [False, True]
    assert "Traceback" not in house.journal()


def storm(house):
    """Two hundred signals, and people who come meanwhile."""
    for number in range(200):
        house.process.send_signal(signal.SIGHUP)
        if number % 40 == 0:
            assert shown(house, "localhost")


def test_the_status_of_a_node_at_work(house):
    """Who is connected to which door, how signing in goes, and nothing that needs attention; then it is down."""
    do_all_kinds_of_things(house)
    with house.imap("chris"):
        found = house.ask("status")
        assert found["connections"]["imaps"] == {"open": 1, "total": 2}
        assert found["told_s"] < 5
    assert found["attention"] == []
    assert found["sign_ins"]["failed"] == 1
    assert found["connections"]["submission"] == {"open": 0, "total": 2}
    assert (found["received"], found["delivered"]) == (2, 3)
    assert "Needs attention" not in house.run("status", "--check")
    house.stop()
    done = house.run("status", "--check", check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("localhost does not run.")
    house.start()


def shown(house, name, door="imaps", **how):
    """The certificate (DER) that a client sees who asks for a name."""
    context = no_check()
    if door == "imaps":
        with socket.create_connection(("127.0.0.1", house.ports[door]), timeout=PATIENCE_S) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return secure.getpeercert(binary_form=True)
    client = smtplib.SMTP("127.0.0.1", house.ports[door], timeout=PATIENCE_S)
    client._host = name  # what smtplib asks for
    client.starttls(context=context)
    seen = client.sock.getpeercert(binary_form=True)
    client.close()
    return seen


def with_names(house):
    text = house.config.read_text()
    house.config.write_text(text.replace('\nnames = ""\n', '\nnames = "names"\n'))
    (house.folder / "names").mkdir()
    return house


@pytest.mark.parametrize("workers", [1, 2])
def test_a_certificate_for_each_name(model, tmp_path, workers):
    """At every kind of door the name that a client asks for decides; renewed ones are taken on SIGHUP, all or none."""
    house = with_names(House.like(model, tmp_path / "node", workers=workers))
    a = make_pair(house.folder / "names" / "a", "a.example", "*.a.example")
    soon = make_pair(house.folder / "names" / "soon", "soon.example", ends=3 * DAY)
    try:
        house.start()
        own = shown(house, "localhost")
        assert len({own, a, soon}) == 3
        for door in ("imaps", "submission", "smtp"):
            asked = {name: shown(house, name, door) for name in ("a.example", "mail.a.example", "soon.example", "x.y")}
            assert asked == {"a.example": a, "mail.a.example": a, "soon.example": soon, "x.y": own}, door
        assert house.hears(" warning certificate ", "names=soon.example", "in 2 days: renew it")
        assert "soon.example" in house.ask("status")["attention"][0]

        renewed = make_pair(house.folder / "names" / "soon", "soon.example")
        assert "names/soon/cert.pem as it is now: " in house.ask("status")["attention"][0]
        house.process.send_signal(signal.SIGHUP)
        assert house.hears(" certificate what=renewed ", "names=soon.example")
        until(lambda: {shown(house, "soon.example") for _ in range(6)} == {renewed}, "all processes show the new one")
        assert shown(house, "a.example") == a
        assert house.ask("status")["attention"] == []

        make_pair(house.folder / "names" / "soon", "soon.example")
        (house.folder / "names" / "a" / "key.pem").write_text("half a renewal")
        house.process.send_signal(signal.SIGHUP)
        house.hears("the old ones stay: ", "names/a/key.pem")
        assert {shown(house, "soon.example") for _ in range(6)} == {renewed}
        assert "A certificate cannot be used: " in house.ask("status")["attention"][0]
        if workers > 1:
            began = house.ask("status")["workers"]
            subprocess.run(["kill", "-9", str(began[0]["pid"])], check=True)
            until(lambda: {each["restarts"] for each in house.ask("status")["workers"]} == {0, 1}, "another one begins")
            house.hears("certificates cannot be used, so those that others of us show are: ", "names/a/key.pem")
            assert {shown(house, "soon.example") for _ in range(6)} == {renewed}
        assert "Traceback" not in house.journal()
    finally:
        house.stop()


def test_bad_certificates_are_found_before_the_start(stopped_house):
    """--check names each of them; a start says the same and does not happen."""
    house = with_names(stopped_house)
    (house.folder / "names" / "a").mkdir()
    (house.folder / "names" / "b").mkdir()
    twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "--nodaemon", "--pidfile=",
              "unitymail", "--config", str(house.config)]
    for words in (["--check"], []):
        done = subprocess.run(
            [*twistd, *words], capture_output=True, text=True, env=house.environment, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 1
        for name in ("a", "b"):
            assert f"names/{name} holds no cert.pem and key.pem" in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr


def test_what_openssl_says_of_the_doors(house):
    """The checks of those who test servers from outside: no old version, no weak cipher, no compression."""
    needs("openssl")

    def openssl(*words):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{house.ports['imaps']}", *words]
        return subprocess.run(command, input=b"", capture_output=True, timeout=PATIENCE_S, check=False)

    good = openssl("-tls1_2").stdout.decode()
    assert "Secure Renegotiation IS supported" in good
    assert "Compression: NONE" in good
    assert re.search(r"Cipher is ECDHE-ECDSA-(AES|CHACHA)", good)
    assert "Cipher is TLS_AES_256_GCM_SHA384" in openssl("-tls1_3").stdout.decode()
    for words in (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1", "-cipher", "ALL:@SECLEVEL=0"),
                  ("-tls1_2", "-cipher", "kRSA:@SECLEVEL=0"), ("-tls1_2", "-cipher", "SHA1:@SECLEVEL=0"),
                  ("-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0")):
        assert "Cipher is (NONE)" in openssl(*words).stdout.decode(), words
