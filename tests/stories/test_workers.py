"""Several processes serve one node: what one of them takes all have, limits hold for all together, and each may die."""

import collections
import contextlib
import imaplib
import os
import pathlib
import re
import signal
import smtplib
import socket
import ssl
import threading

import pytest

from tests.stories.house import House, fetch_all, hand_in, no_check, until
from unitymail.tls import self_signed

ROBIN, CHRIS = "robin.smith@example.com", "chris.jones@example.com"
ENOUGH = 60
"""So many connections come to two workers, each to both: the kernel deals them out."""


class Crew(House):
    """A node with workers. What it connects is closed at the end of the story.

    `since`: how many lines of its journal are of earlier stories.
    """

    def __init__(self, folder, domain=None):
        super().__init__(folder, domain)
        self.lines = contextlib.ExitStack()
        self.since = 0

    def launch(self, *under):
        self.since = 0
        return super().launch(*under)

    def told(self):
        """Its journal of this story."""
        return "".join(self.output[self.since:])

    def expect_peace(self):
        """Nothing was wrong in this story, and no turn long."""
        self.expect_short_turns(self.since)
        assert " trouble " not in self.told() and "Traceback" not in self.told()

    def empty(self):
        """Take all messages out of the mailboxes."""
        for alias in self.passwords:
            with super().imap(alias) as box:
                box.select("INBOX")
                box.store("1:*", "+FLAGS", "(\\Deleted)")
                box.expunge()

    def end(self):
        self.lines.close()
        workers = pids_of(self)
        self.kill()
        until(lambda: not any(lives(pid) for pid in workers), "a worker outlives its node")

    def imap(self, alias, door="imaps"):
        box = super().imap(alias, door)
        self.lines.callback(box.sock.close)
        self.lines.callback(box.file.close)
        return box

    def smtp(self, alias=None, door="submission"):
        client = super().smtp(None, door)
        self.lines.callback(client.close)
        if alias:
            client.login(alias, self.passwords[alias])
        return client

    def banner(self, door="smtp"):
        """A connection and the first line that came over it."""
        line = self.lines.enter_context(socket.create_connection(("127.0.0.1", self.ports[door]), timeout=60))
        with line.makefile("rb") as words:
            return line, words.readline().decode()


class Shift:
    """The crew at work that stories share; another one after a story that failed, which may have left anything."""

    def __init__(self, model, folders):
        self.model, self.folders = model, folders
        self.crew = None
        self.sound = True

    def at_work(self):
        if self.crew is not None and not self.sound:
            self.close()
        if self.crew is None:
            self.crew = Crew.like(self.model, self.folders.mktemp("crew") / "node", workers=2).start()
            self.sound = True
        return self.crew

    def close(self):
        if self.crew is not None:
            self.crew.end()
            self.crew = None


@pytest.fixture(scope="module")
def builder(model, tmp_path_factory):
    """Whose `sound` ends with a story that fails."""
    shift = Shift(model, tmp_path_factory)
    yield shift
    shift.close()


@pytest.fixture
def crew(builder):
    """A node at work with two workers; the mailboxes of Robin and Chris are empty."""
    home = builder.at_work()
    home.empty()
    until(lambda: len(pids_of(home)) == 2, "a worker is missing")
    home.since = len(home.output)
    yield home
    home.lines.close()


@pytest.fixture
def stopped_crew(model, tmp_path):
    """A node with Robin and Chris that has two workers, not started."""
    home = Crew.like(model, tmp_path / "node", workers=2)
    yield home
    home.end()


def pids_of(house):
    """Its workers that began to serve and live."""
    began = re.findall(r" worker-ready pid=(\d+)", house.journal())
    return [pid for pid in map(int, began) if lives(pid)]


def lives(pid):
    try:
        return b"unitymail.workers" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def worker_of(house, connection):
    """The worker at the other end of a connection, once it was accepted; None before."""
    here, there = connection.getsockname()[1], connection.getpeername()[1]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        ends = [int(words[at].split(":")[1], 16) for at in (1, 2)]
        if ends == [there, here]:
            wanted = f"socket:[{words[9]}]"
            return next((pid for pid in pids_of(house) if wanted in descriptors(pid)), None)
    return None


def descriptors(pid):
    found = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(str(link.readlink()))
    return found


def listens(pid):
    """Whether it has a socket that waits for connections."""
    waiting = {line.split()[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines() if " 0A " in line}
    return any(f"socket:[{inode}]" in descriptors(pid) for inode in waiting)


def one_each(house, connect, socket_of):
    """{worker: connection}, one to each worker; the others are closed again."""
    found = {}
    for _ in range(ENOUGH):
        connection = connect()
        worker = worker_of(house, socket_of(connection))
        if worker in found:
            socket_of(connection).close()
        else:
            found[worker] = connection
        if len(found) == len(pids_of(house)):
            return found
    raise AssertionError(f"of {ENOUGH} connections none came to some worker")


def message(number, size=2000):
    return f"From: {ROBIN}\r\nSubject: number {number}.\r\n\r\n".encode() + b"x" * size + b"\r\n"


def numbers(texts):
    return collections.Counter(int(re.search(rb"number (\d+)\.", text)[1]) for text in texts)


def test_two_workers_serve(crew):
    """Both take mail and show it; the status tells of each; a change by the command reaches both."""
    house = crew
    inside = one_each(house, lambda: house.smtp("robin"), lambda client: client.sock)
    for number, client in enumerate(inside.values()):
        hand_in(client, ROBIN, [CHRIS], message(number))
    boxes = one_each(house, lambda: house.imap("chris"), lambda box: box.sock)
    for box in boxes.values():
        assert numbers(fetch_all(box).values()) == {0: 1, 1: 1}
    told = house.ask("status")["workers"]
    assert [worker["pid"] for worker in told] == sorted(pids_of(house)) or len(told) == 2
    assert sum(worker["restarts"] for worker in told) == house.journal().count(" worker-ended ")
    house.run("user", "set", "chris", "--proxy", CHRIS, "--proxy", "chris@elsewhere.example")
    for number, client in enumerate(inside.values(), 2):
        assert client.docmd("VRFY", "nobody")[0] in (252, 502)
        hand_in(client, ROBIN, ["chris@elsewhere.example"], message(number))
    assert numbers(house.read("chris").values()) == {0: 1, 1: 1, 2: 1, 3: 1}
    house.expect_peace()


def test_one_account_through_both(crew):
    """Two clients of one account, each at another worker: one sees what the other does; no UID means two messages."""
    house = crew
    house.submit("robin", [CHRIS], message(1), sender=ROBIN)
    one, two = one_each(house, lambda: house.imap("chris"), lambda box: box.sock).values()
    for box in (one, two):
        assert box.select("INBOX")[1] == [b"1"]
    one.store("1", "+FLAGS", "(\\Seen \\Flagged)")
    assert b"\\Flagged" in until(lambda: flags(two), "the flag is not seen")
    for number, box in enumerate((one, two) * 5, 10):
        box.append("INBOX", None, None, message(number))
    found = [uids(box) for box in (one, two)]
    assert found[0] == found[1] and len(found[0]) == 11
    two.store("1:5", "+FLAGS", "(\\Deleted)")
    two.expunge()
    assert uids(one) == uids(two) == found[0][5:]
    house.expect_peace()


def flags(box):
    box.noop()
    found = box.fetch("1", "(FLAGS)")[1][0]
    return found if b"\\Flagged" in found else b""


def uids(box):
    box.noop()
    return box.uid("SEARCH", "ALL")[1][0].split()


def test_idle_at_the_other_worker(crew):
    """Whoever takes the message, who waits at any worker is told of it at once."""
    house = crew
    boxes = one_each(house, lambda: house.imap("chris"), lambda box: box.sock)
    for box in boxes.values():
        box.select("INBOX")
        box.send(b"i1 IDLE\r\n")
        assert box.readline() == b"+ idling\r\n"
    clients = one_each(house, lambda: house.smtp("robin"), lambda client: client.sock)
    for number, client in enumerate(clients.values(), 1):
        hand_in(client, ROBIN, [CHRIS], message(number))
        for box in boxes.values():
            assert heard(box, b" EXISTS") == b"* %d EXISTS\r\n" % number
    for box in boxes.values():
        box.send(b"DONE\r\n")


def heard(box, word):
    while word not in (line := box.readline()):
        assert line, "the connection ended"
    return line


def test_the_courier_rings_at_the_workers(crew):
    """What the parent delivers (here: a report of mail that cannot be delivered) is told to who waits at a worker."""
    house = crew
    boxes = one_each(house, lambda: house.imap("robin"), lambda box: box.sock)
    for box in boxes.values():
        box.select("INBOX")
        box.send(b"i1 IDLE\r\n")
        assert box.readline() == b"+ idling\r\n"
    house.submit("robin", ["nobody@example.com"], message(1), sender=ROBIN)
    for box in boxes.values():
        assert heard(box, b" EXISTS") == b"* 1 EXISTS\r\n"
        box.send(b"DONE\r\n")


class Sender(threading.Thread):
    """Submits its numbers; on a broken connection it makes a new one and goes on with the next."""

    def __init__(self, house, numbers, counted):
        super().__init__(daemon=True)
        self.house, self.numbers, self.counted = house, numbers, counted
        self.acknowledged = []

    def run(self):
        client = None
        for number in self.numbers:
            self.counted.release()
            with contextlib.suppress(OSError, smtplib.SMTPException):
                client = client or self.house.smtp("robin")
                client.sendmail(ROBIN, [CHRIS], message(number))
                self.acknowledged.append(number)
                continue
            client = None


def test_a_worker_is_killed_in_the_middle_of_a_load(crew):
    """What got 250 is there once; the other worker goes on; the dead one is replaced; nothing is left behind."""
    house = crew
    counted = threading.Semaphore(0)
    senders = [Sender(house, range(n, 800, 4), counted) for n in range(4)]
    for sender in senders:
        sender.start()
    for killed in range(3):
        for _ in range(150):
            assert counted.acquire(timeout=60)
        victim = pids_of(house)[killed % 2]
        os.kill(victim, signal.SIGKILL)
        house.hears("worker-ended", f"pid={victim}", "signal 9")
        until(lambda: len(pids_of(house)) == 2, "the worker is not replaced")
    for sender in senders:
        sender.join(120)
        assert not sender.is_alive()
    acknowledged = {number for sender in senders for number in sender.acknowledged}
    assert len(acknowledged) > 700
    found = numbers(house.read("chris", what="BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values())
    assert [number for number, times in found.items() if times > 1] == []
    assert acknowledged - set(found) == set()
    assert max(worker["restarts"] for worker in house.ask("status")["workers"]) >= 1
    until(lambda: house.left_behind() == [], "something is left behind")
    assert "Traceback" not in house.told()


def test_limits_of_connections_hold_over_all_workers(stopped_crew):
    """Five connections of an address may be open, whoever has them; a dead worker's return."""
    house = stopped_crew
    house.run("site", "set", "smtp.max_connections_per_address=5", "imap.max_connections_per_user=3")
    house.run("access", "add", "127.0.0.1", "--allow")
    house.start()
    held = [house.banner() for _ in range(5)]
    assert all(words.startswith("220 ") for _, words in held)
    holders = collections.Counter(worker_of(house, line) for line, _ in held)
    for _ in range(6):
        line, words = house.banner()
        assert words.startswith("421 4.3.2 "), words
        line.close()
    victim = holders.most_common()[0][0]
    os.kill(victim, signal.SIGKILL)
    house.hears("worker-ended", f"pid={victim}")
    again = [house.banner() for _ in range(holders[victim])]
    assert all(words.startswith("220 ") for _, words in again)
    assert house.banner()[1].startswith("421 4.3.2 ")
    boxes = [house.imap("chris") for _ in range(3)]
    with pytest.raises(imaplib.IMAP4.error, match=r"You have 3 of 3 connections open: 3 from 127\.0\.0\.1"):
        house.imap("chris")
    boxes[0].logout()
    until(lambda: signs_in(house), "the place of the one that left is not free")


def signs_in(house):
    with contextlib.suppress(imaplib.IMAP4.error):
        return house.imap("chris")


def test_a_lock_holds_at_all_workers(crew):
    """Seven wrong passwords, some at each worker, lock the user everywhere."""
    house = crew
    tried = collections.Counter()
    while sum(tried.values()) < 7 or len(tried) < 2:
        assert sum(tried.values()) < ENOUGH
        client = house.smtp()
        tried[worker_of(house, client.sock)] += 1
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("robin", "wrong")
        client.close()
    for client in one_each(house, house.smtp, lambda client: client.sock).values():
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("robin", house.passwords["robin"])
    house.run("user", "unlock", "robin")
    for client in one_each(house, house.smtp, lambda client: client.sock).values():
        client.login("robin", house.passwords["robin"])


def test_sigterm_lets_transactions_finish(crew):
    """Who is in the middle of a message finishes it; who waits is told 421; all end in peace, told twice or not."""
    house = crew
    clients = one_each(house, lambda: house.smtp("robin"), lambda client: client.sock)
    for client in clients.values():
        client.mail(ROBIN)
        client.rcpt(CHRIS)
        assert client.docmd("DATA")[0] == 354
    idle = one_each(house, lambda: house.banner()[0], lambda line: line)
    house.process.send_signal(signal.SIGTERM)
    house.hears("stopping")
    house.process.send_signal(signal.SIGTERM)
    for line in idle.values():
        assert line.recv(100).startswith(b"421 4.3.2 ")
    for number, client in enumerate(clients.values()):
        client.send(message(number) + b".\r\n")
        assert client.getreply()[0] == 250
    house.lines.close()
    assert house.process.wait(60) in (0, -signal.SIGTERM)
    house.reader.join(60)
    ends = re.findall(r' worker-ended pid=\d+ how="(.*?)"', house.told())
    assert ends == ["exit code 0"] * 2
    assert " trouble " not in house.told() and "Traceback" not in house.told()
    house.stop()
    assert [path.name for path in (house.folder / "run").iterdir()] == []
    house.start()
    assert numbers(house.read("chris").values()) == {0: 1, 1: 1}


def test_sigterm_to_a_worker_alone(crew):
    """It ends in peace and is replaced; nobody who comes meanwhile waits for it."""
    house = crew
    clients = one_each(house, lambda: house.smtp("robin"), lambda client: client.sock)
    leaving, client = next(iter(clients.items()))
    client.mail(ROBIN)
    client.rcpt(CHRIS)
    assert client.docmd("DATA")[0] == 354
    os.kill(leaving, signal.SIGTERM)
    until(lambda: not listens(leaving), "the worker listens still")
    for _ in range(20):
        line, words = house.banner("imap")
        assert words.startswith("* OK ")
        line.close()
    client.send(message(1) + b".\r\n")
    assert client.getreply()[0] == 250
    house.lines.close()
    house.hears("worker-ended", f"pid={leaving}", "exit code 0")
    until(lambda: len(pids_of(house)) == 2, "the worker is not replaced")


def test_a_hanging_worker_does_not_keep_clients_waiting(crew):
    """While it hangs the other one takes who comes to it."""
    house = crew
    hanging = pids_of(house)[0]
    os.kill(hanging, signal.SIGSTOP)
    try:
        for _ in range(20):
            line, words = house.banner("imap")
            assert words.startswith("* OK ")
            line.close()
    finally:
        os.kill(hanging, signal.SIGCONT)


def test_sighup_takes_a_renewed_certificate_in_all(stopped_crew):
    """And all write on in a new log file once the old one was moved away."""
    house = stopped_crew
    text = house.config.read_text().replace('file = "-"', 'file = "log/journal"')
    house.config.write_text(text)
    house.launch()
    until(lambda: (house.folder / "run" / "node.json").exists(), "the node is not ready")
    workers = [worker["pid"] for worker in house.ask("status")["workers"]]
    (house.folder / "log" / "journal").rename(house.folder / "log" / "journal.1")
    certificate, key = self_signed("renewed.example")
    (house.folder / "tls" / "cert.pem").write_bytes(certificate)
    (house.folder / "tls" / "key.pem").write_bytes(key)
    house.process.send_signal(signal.SIGHUP)
    wanted = ssl.PEM_cert_to_DER_cert(certificate.decode())
    until(lambda: all(shown(house) == wanted for _ in range(12)), "the old certificate is shown still")
    journal = house.folder / "log" / "journal"
    until(lambda: journal.exists() and all(f"session=imaps-{pid:x}-" in journal.read_text() for pid in workers),
          "some worker does not write in the new file")
    lines = journal.read_text().splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \w+ \S+", line) for line in lines)
    house.stop()
    until(lambda: not any(lives(pid) for pid in workers), "a worker outlives its node")


def shown(house):
    """The certificate at the imaps door."""
    with (
        socket.create_connection(("127.0.0.1", house.ports["imaps"]), timeout=60) as line,
        no_check().wrap_socket(line) as secured,
    ):
        return secured.getpeercert(binary_form=True)


def test_the_parent_is_killed(crew):
    """Its workers end by themselves, what got 250 is there, and a new start succeeds at once."""
    house = crew
    workers = pids_of(house)
    clients = one_each(house, lambda: house.smtp("robin"), lambda client: client.sock)
    for number, client in enumerate(clients.values()):
        hand_in(client, ROBIN, [CHRIS], message(number))
    house.process.send_signal(signal.SIGKILL)
    house.process.wait(60)
    told = house.told()
    house.kill()
    house.start()
    assert not any(lives(pid) for pid in workers)
    assert numbers(house.read("chris").values()) == {0: 1, 1: 1}
    assert "Traceback" not in told + house.told()
    until(lambda: house.left_behind() == [], "something is left behind")
