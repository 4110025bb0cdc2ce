"""`unitymail status`: of a node that was just made and does not run, and of one that said much of itself."""

import json
import time

import pytest
from click.testing import CliRunner

from tests.certificates import DAY, certificate, new_key, pem_of
from unitymail import founding
from unitymail.admin.cli.main import command_line
from unitymail.admin.cli.status import _headline
from unitymail.admin.operations.status import Certificate, Seen, attention, in_words, status
from unitymail.ctl import NodeDesk
from unitymail.mail.trace import new_trace
from unitymail.people.location import Location, LocationKind


class Node:
    """A node in `folder` that does not run, and the real command."""

    def __init__(self, folder):
        self.folder = folder
        founding.found(founding.Plan(str(folder), "example.com", "vm1.example.com", False, "1", {}))
        self._group = command_line(NodeDesk)

    def run(self, *words):
        return CliRunner().invoke(self._group, ["-c", f"{self.folder}/{founding.SETTINGS}", *words])

    def ask(self, *words):
        done = self.run("--json", *words)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path / "node")


def test_the_peers_are_named(node):
    """Each with the door that mail for it goes to; a VPIM location is none."""
    assert node.ask("status")["peers"] == []
    node.ask("location", "add", "London", "--domain", "london.example.org", "--host", "10.2.0.5")
    node.ask("peer", "add", "nodeb", "--host", "vm2.example.com", "--port", "2525", "--domain", "vm2.example.com",
             "--fingerprint", "ab" * 32)  # fmt: skip
    assert node.ask("status")["peers"] == [{"name": "nodeb", "host": "vm2.example.com", "port": 2525}]


def test_a_node_that_is_down(node):
    """Said in the first line and under what needs attention; what is on its disk is told all the same."""
    done = node.run("status")
    assert done.exit_code == 0
    assert done.stdout.startswith("vm1.example.com does not run.\n")
    assert "\nNeeds attention:\n- The node does not run. Start it: " in done.stdout
    assert "\ncertificates  vm1.example.com, localhost: 82" in done.stdout
    found = node.ask("status")
    assert (found["running"], found["doors"], found["workers"], found["queue"]) == (False, {}, [], 0)
    assert found["free_disk_mib"] > 0
    assert found["certificate_days"] > 700


def test_for_a_monitoring_system(node):
    """With --check the exit code says whether anything needs attention; what is printed is the same."""
    assert node.run("status", "--check").exit_code == 1
    assert node.run("status", "--check").stdout.startswith("vm1.example.com does not run.\n")
    assert json.loads(node.run("--json", "status", "--check").stdout)["attention"]


def test_what_waits_and_what_went_wrong(node):
    """Counted on the disk: the queue with the age of its oldest, what was put aside, bad mail."""
    old = new_trace(time.time() - 7_500, b"x" * 8)
    for room, name in (("items", old), ("items", new_trace(time.time(), b"y" * 8)), ("shunted", "a"), ("badmail", "b")):
        (node.folder / "spool" / room).mkdir(parents=True, exist_ok=True)
        (node.folder / "spool" / room / f"{name}.eml").write_bytes(b"")
    found = node.ask("status")
    assert (found["queue"], found["shunted"], found["bad_mail"]) == (2, 1, 1)
    assert 7_500 <= found["queue_oldest_s"] < 7_600
    shown = node.run("status").stdout
    assert "\nqueue         2 waiting, the oldest for 2 h 5 min\n" in shown
    assert "- 1 message is put aside in spool/shunted after an error nobody expected" in shown


def test_every_certificate(node):
    """Those for further names too: a warning two weeks before the end, and why one cannot be used at all."""
    settings = node.folder / founding.SETTINGS
    settings.write_text(settings.read_text().replace('\nnames = ""\n', '\nnames = "names"\n'))
    for name, ends in (("a.example", 5 * DAY), ("b.example", 90 * DAY)):
        (node.folder / "names" / name).mkdir(parents=True)
        key = new_key()
        (node.folder / "names" / name / "cert.pem").write_bytes(certificate(key, name, ends=ends))
        (node.folder / "names" / name / "key.pem").write_bytes(pem_of(key))
    found = node.ask("status")["certificates"]
    assert [(each["names"], bool(each["warning"])) for each in found] == [
        (["vm1.example.com", "localhost"], False), (["a.example"], True), (["b.example"], False),
    ]
    assert found[1]["days"] == 4
    assert "- The certificate for a.example: it ends on " in node.run("status").stdout
    (node.folder / "names" / "b.example" / "key.pem").write_text("half")
    assert "- A certificate cannot be used: " in node.run("status").stdout
    (node.folder / "tls" / "cert.pem").write_text("half")
    assert node.ask("status")["certificate_days"] is None


TOLD = {
    "version": "1.0", "since": 1_800_000_000, "doors": {"smtp": "127.0.0.1:25", "imaps": "127.0.0.1:993"},
    "open": {"mta": 3}, "came": {"mta": 10, "imaps": 2}, "metrics": "127.0.0.1:9465",
    "events": {"received": 5, "delivered": 6, "trouble": 1}, "sign_ins_failed": 4, "longest_turn_ms": 3.5,
    "long_turns": 0,
    "workers": [
        {"pid": 8, "connections": 2, "since": 1_800_000_001, "restarts": 0, "longest_turn_ms": 3.5, "long_turns": 0},
        {"pid": 9, "connections": 1, "since": 1_800_000_060, "restarts": 2, "longest_turn_ms": 1.0, "long_turns": 0},
    ],
}  # fmt: skip
PEER = Location("l-b", LocationKind.PEER, "nodeb", "vm2.example.com", "vm2.example.com", 25)
OURS = Certificate(("vm1.example.com",), "/x/cert.pem", 1_900_000_000.0, 1_157, "", "aa")


def seen(**how):
    what = {
        "host": "vm1.example.com", "now": 1_800_000_100.0, "pid": 7, "told": TOLD, "told_at": 1_800_000_095.0,
        "queue": 0, "oldest_s": 0.0, "shunted": 0, "bad_mail": 0, "free": {"accounts": 1 << 33}, "usn": 12,
        "own": OURS.file, "certificates": (OURS,), "peers": (PEER,),
    }  # fmt: skip
    return Seen(**{**what, **how})


class Desk:
    """Only the status of a node that runs."""

    def __init__(self, config):
        pass

    def status(self):
        return status(seen())

    def close(self):
        pass


def test_a_node_that_runs():
    """Doors with who is there, workers, mail, people, certificates: what an administrator looks at first."""
    shown = CliRunner().invoke(command_line(Desk), ["-c", "x", "status"]).stdout
    assert shown == """\
vm1.example.com runs: unitymail 1.0, process 7, since 2027-01-15T08:00:00Z. Its numbers are 5 s old.

door     address                        open  since start
smtp     127.0.0.1:25                   3     10
imaps    127.0.0.1:993                  0     2
metrics  http://127.0.0.1:9465/metrics

pid  connections  since                 restarts  longest_turn_ms
8    2            2027-01-15T08:00:01Z  0         3.5
9    1            2027-01-15T08:01:00Z  2         1.0

mail          5 messages accepted, 6 delivered
sign-ins      4 failed
queue         empty
shunted       0
bad mail      0
users         0 gave a wrong password within the hour, 0 locked now
peers         nodeb (vm2.example.com:25)
disk          8192 MiB left
certificates  vm1.example.com: 1157 days left
troubles      1
longest turn  3.5 ms, 0 over 10 ms
directory     change 12

Needs attention:
- A worker was replaced 2 times since the start: the log says how it ended.
"""


QUIET = {**TOLD, "workers": []}


@pytest.mark.parametrize(("how", "words"), [
    ({"told": QUIET}, []),
    ({"told": {}, "told_at": None}, ["The node (process 7) is not ready yet"]),
    ({"told": QUIET, "told_at": 1_800_000_000.0}, ["has said nothing for 1 min 40 s"]),
    ({"told": QUIET, "free": {"spool": 5 << 20}}, ["The disk of spool has 5 MiB left"]),
    ({"told": QUIET, "shunted": 3}, ["3 messages are put aside"]),
    ({"told": QUIET, "flaws": ("x is junk",)}, ["A certificate cannot be used: x is junk."]),
    ({"told": QUIET, "pid": None}, ["The node does not run."]),
    ({"told": QUIET | {"certificates": {"/x/cert.pem": "aa"}}}, []),
    ({"told": QUIET | {"certificates": {"/x/cert.pem": "bb"}}},
     ["does not show /x/cert.pem as it is now: have it read it, with systemctl reload unitymail or kill -HUP 7."]),
    ({"told": QUIET | {"certificates": {}}}, ["does not show /x/cert.pem as it is now"]),
    ({"told": {}, "pid": None}, ["The node does not run."]),
])
def test_what_needs_attention(how, words):
    """Nothing, or a sentence that says what and what to do about it."""
    found = list(attention(seen(**how)))
    assert len(found) == len(words)
    for sentence, part in zip(found, words, strict=True):
        assert part in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize(("told", "in_use"), [
    (TOLD, None), (TOLD | {"certificates": {"/x/cert.pem": "aa"}}, True), (TOLD | {"certificates": {}}, False),
])
def test_whether_a_certificate_is_in_use(told, in_use):
    """A program is told so too; of a node that says nothing of it, null."""
    assert [each["in_use"] for each in status(seen(told=told))["certificates"]] == [in_use]


def test_fresh_numbers_have_no_age():
    """A node that answered told what is so now."""
    for seconds, words in ((0, False), (2, False), (3, True)):
        facts = status(seen(told_at=1_800_000_100.0 - seconds))
        assert ("numbers are" in _headline(facts)) is words


@pytest.mark.parametrize(("seconds", "words"), [
    (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_661, "1 h 1 min"), (90_000, "1 d 1 h"), (86_400 * 400, "400 d"),
])
def test_spans_of_time(seconds, words):
    """The two largest units."""
    assert in_words(seconds) == words
