"""A real node for a story: made by `unitymail init`, started by twistd on free loopback ports, ended by its own pid."""

import functools
import imaplib
import importlib
import itertools
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from tests.stories.warm import Warm

ROOT = pathlib.Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
DOORS = ("smtp", "submission", "submissions", "imap", "imaps")
PATIENCE_S = int(os.environ.get("UNITYMAIL_STORY_PATIENCE", "60"))
"""Seconds until a story gives up; a slow machine may want more."""


def needs(program, package=None):
    """Skip the story, naming the package, when the program is not installed; in CI that is a failure."""
    if shutil.which(program):
        return
    skip_or_fail(f"{program} is not installed: apt-get install {package or program}")


def needs_module(name, package=None):
    """The Python module; the story is skipped, naming the package, when there is none; in CI that is a failure."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return skip_or_fail(f"{name} is not installed: pip install {package or name}")


def skip_or_fail(words):
    if os.environ.get("UNITYMAIL_NO_SKIP"):
        pytest.fail(words)
    pytest.skip(words)


def _share_of_tests():
    """(which one this process is of those that share the tests, how many there are)."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name.removeprefix("gw")), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def _ports_in_turn():
    """Ports below those that outgoing connections take, each once: two nodes never get the same, started or not, and
    processes that share the tests have ports of their own."""
    share, processes = _share_of_tests()
    size = (32_000 - 12_000) // processes
    first, last = 12_000 + share * size, 12_000 + (share + 1) * size
    start = random.SystemRandom().randrange(first, last)
    return itertools.chain(range(start, last), range(first, start))


_PORTS = _ports_in_turn()


def free_ports(count):
    """Ports that nobody listens on now, and that nobody else here will be given."""
    ports = []
    for port in _PORTS:
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
        if len(ports) == count:
            return ports
    raise AssertionError("no port is free")


def wait_a_little():
    """Let another process get on: a pause of one poll, never a guess at how long something takes."""
    select.select([], [], [], 0.05)


def until(true, what, patience=PATIENCE_S):
    """What `true()` gives, as soon as that counts as true; AssertionError with `what` after the patience."""
    ends = time.monotonic() + patience
    while not (found := true()):
        if time.monotonic() > ends:
            raise AssertionError(what() if callable(what) else what)
        wait_a_little()
    return found


def no_check():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@functools.cache
def _warm(environment):
    return Warm(dict(environment), ROOT)


def warm(environment):
    """What runs commands; one process for all nodes."""
    return _warm(tuple(sorted(environment.items())))


class House:
    """One node in `folder`. `passwords` holds those of the users added."""

    domain = "vm1.example.com"

    def __init__(self, folder, domain=None):
        self.folder = pathlib.Path(folder)
        self.domain = domain or self.domain
        self.config = self.folder / "unitymail.toml"
        self.ports = dict(zip(DOORS, free_ports(len(DOORS)), strict=True))
        self.passwords = {}
        self.process = None
        self.output = []
        self._heard = threading.Condition()
        # The name of the running test would make an environment, and a process that runs commands, of each house's own.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.environment = {k: v for k, v in environment.items() if not k.startswith(("COVERAGE", "PYTEST_"))}
        if not self.config.exists():
            self._found()

    def _found(self):
        ports = [word for door in DOORS for word in (f"--{door}-port", str(self.ports[door]))]
        self.run("init", str(self.folder), "--domain", self.domain, "--host-name", "localhost", "--listen", "127.0.0.1",
                 *ports, "--web-port", "0", bare=True)

    @classmethod
    def like(cls, model, folder, workers=1):
        """A node of its own in `folder`, with the people of a node that does not run."""
        shutil.copytree(model.folder, folder)
        house = cls(folder)
        house.passwords = dict(model.passwords)
        text = house.config.read_text()
        for door in DOORS:
            text = text.replace(f"\n{door} = {model.ports[door]}\n", f"\n{door} = {house.ports[door]}\n")
        house.config.write_text(text.replace('\nworkers = "1"\n', f'\nworkers = "{workers}"\n'))
        return house

    def run(self, *words, input=None, bare=False, check=True):
        """The `unitymail` command; its standard output."""
        at = [] if bare else ["-c", str(self.config)]
        done = warm(self.environment).run([*at, *words], input)
        if check and done.returncode:
            raise AssertionError(f"unitymail {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout if check else done

    def ask(self, *words, **how):
        """The command with --json; the object it prints."""
        return json.loads(self.run("--json", *words, **how))

    def add_user(self, alias, *options, password=None):
        self.passwords[alias] = password or f"{alias}-Opens-4-you"
        self.run("user", "add", alias, *options, "--password-stdin", input=self.passwords[alias] + "\n")

    def add_people(self):
        """Robin and Chris, as the vectors know them."""
        for alias, name, number in (("robin", "Robin Smith", "1041"), ("chris", "Chris Jones", "1042")):
            address = name.lower().replace(" ", ".") + "@example.com"
            self.add_user(alias, "--display-name", name, "--extension", number, "--proxy", address)

    def start(self, *under):
        return self.launch(*under).wait_until_ready()

    def launch(self, *under):
        """Start without waiting until it is ready. `under`: a command that becomes the node, as `prlimit` does."""
        self.output = []
        self.ready = threading.Event()
        self.process = subprocess.Popen(
            [*under, sys.executable, "-c", "from twisted.scripts.twistd import run; run()",
             "--nodaemon", "--pidfile=", "unitymail", "--config", str(self.config)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment, cwd=self.folder,
        )
        self.reader = threading.Thread(target=self._listen, args=(self.process, self.ready), daemon=True)
        self.reader.start()
        return self

    def wait_until_ready(self):
        if not self.ready.wait(PATIENCE_S) or self.process.poll() is not None:
            ended = self.process.poll()
            self.kill()
            raise AssertionError(f"the node is not ready ({ended}):\n" + "".join(self.output))
        return self

    def _listen(self, process, ready):
        for line in process.stdout:
            with self._heard:
                self.output.append(line)
                self._heard.notify_all()
            if " ready " in line or '"event": "ready"' in line:
                ready.set()
        ready.set()

    def _end(self, number):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        self.process.stdout.close()
        self.process = None

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def hears(self, *words, patience=PATIENCE_S):
        """The first line of the journal that has all the words, once there is one."""

        def line():
            return next((line for line in list(self.output) if all(word in line for word in words)), None)

        with self._heard:
            if not (found := self._heard.wait_for(line, patience)):
                raise AssertionError(f"no line with {words} in the journal:\n" + "".join(self.output[-40:]))
            return found

    def journal(self):
        return "".join(self.output)

    def expect_short_turns(self, since=0):
        """AssertionError when a turn of the reactor took over 10 ms of CPU. `since`: how many lines are older."""
        long = [line for line in self.output[since:] if " long-turn " in line]
        assert not long, "".join(long)

    def imap(self, alias, door="imaps"):
        if door == "imaps":
            box = imaplib.IMAP4_SSL("127.0.0.1", self.ports["imaps"], ssl_context=no_check(), timeout=PATIENCE_S)
        else:
            box = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=PATIENCE_S)
        box.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            box.login(alias, self.passwords[alias])
        except imaplib.IMAP4.error:
            box.shutdown()
            raise
        return box

    def read(self, alias, folder="INBOX", what="BODY.PEEK[]"):
        """{uid: octets} of a folder, over a connection of its own."""
        with self.imap(alias) as box:
            return fetch_all(box, folder, what)

    def smtp(self, alias=None, door="submission"):
        if door == "submissions":
            client = smtplib.SMTP_SSL("127.0.0.1", self.ports[door], context=no_check(), timeout=PATIENCE_S)
        else:
            client = smtplib.SMTP("127.0.0.1", self.ports[door], timeout=PATIENCE_S)
            client.starttls(context=no_check())
        if alias:
            client.login(alias, self.passwords[alias])
        return client

    def submit(self, alias, recipients, octets, *, sender=None, mail=(), rcpt=()):
        """Hand a message in, signed in; its trace id, as the reply tells it. `mail`, `rcpt`: parameters of those."""
        with self.smtp(alias) as client:
            return hand_in(client, sender or alias, recipients, octets, mail=mail, rcpt=rcpt)

    def account(self, alias):
        """The folder of the mailbox on disk."""
        return self.folder / "accounts" / self.ask("user", "show", alias)["id"]

    def left_behind(self):
        """Files that only a crash leaves: unfinished intake and Maildir tmp files."""
        return [
            *(self.folder / "spool" / "intake").glob("*"),
            *(self.folder / "accounts").glob("*/tmp/*"),
            *(self.folder / "accounts").glob("*/.*/tmp/*"),
        ]


def hand_in(client, sender, recipients, octets, *, mail=(), rcpt=()):
    """One transaction, in which all must go well; the trace id of the message, "" from another system."""
    client.ehlo_or_helo_if_needed()
    for code, words in (
        client.mail(sender, list(mail)),
        *(client.rcpt(recipient, list(rcpt)) for recipient in recipients),
        answer := client.data(octets),
    ):
        assert code == 250, (code, words)
    found = re.search(rb"\b[0-9a-z]{20}\b", answer[1])
    return found[0].decode() if found else ""


def fetch_all(box, folder="INBOX", what="BODY.PEEK[]"):
    """{uid: octets} of a folder over an imaplib connection."""
    box.select(f'"{folder}"', readonly=True)
    _, found = box.uid("SEARCH", "ALL")
    uids = found[0].split() if found[0] else []
    if not uids:
        return {}
    _, parts = box.uid("FETCH", b",".join(uids).decode(), f"({what})")
    messages = {}
    for part in parts:
        if isinstance(part, tuple):
            messages[int(re.search(rb"UID (\d+)", part[0])[1])] = part[1]
    return messages
