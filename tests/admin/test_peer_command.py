"""`unitymail peer`."""

from types import SimpleNamespace

import pytest

from tests.admin.scripted_peer import ScriptedPeer
from tests.certificates import certificate, new_key, write_pair
from unitymail.admin.operations import peers
from unitymail.admin.operations.peers import Ourselves
from unitymail.interfaces.spool import Outcome, StepState
from unitymail.routing.steps import Deliver, HandOver
from unitymail.tls import public_key_fingerprint

OURS = "0a" * 32
THEIRS = "0b" * 32
B = ("--host", "b.example", "--port", "2525", "--domain", "vm2.example.com", "--fingerprint", THEIRS)


@pytest.fixture
def line(unitymail):
    unitymail.desk.ourselves = Ourselves("a.example", 25, 8443, "vm1.example.com", OURS)
    unitymail.desk.fingerprint_of = public_key_fingerprint
    unitymail.desk.queue = SimpleNamespace(items=lambda: iter(()))
    return unitymail


def test_add_list_set_show_remove(line):
    """A peer from its first day to its last; each change is announced."""
    made = line.json("peer", "add", "node-b", *B, "--web-port", "8443")
    assert made.pop("id")
    assert made == {"name": "node-b", "host": "b.example", "port": 2525, "web_port": 8443,
                    "domain": "vm2.example.com", "fingerprint": THEIRS}
    [listed] = line.json("peer", "list")
    assert {**listed, "id": ""} == {**made, "id": ""}
    assert "node-b" in line.do("peer", "list")
    assert line.do("peer", "set", "NODE-B", "--name", "b") == "Changed the peer b.\n"
    changed = line.json("peer", "set", "B", "--host", "192.0.2.2")
    assert (changed["name"], changed["host"], changed["port"]) == ("b", "192.0.2.2", 2525)
    assert line.json("peer", "show", "b")["homed_locations"] == []
    assert line.json("peer", "remove", "b") == {"name": "b", "deleted": True}
    assert line.json("peer", "list") == []
    assert len(line.desk.announced) == 4


def test_the_fingerprint_in_any_spelling(line):
    """With colons and capitals, as other programs print it."""
    shown = ":".join(THEIRS[i:i + 2] for i in range(0, 64, 2)).upper()
    assert line.json("peer", "add", "b", *B[:-1], shown)["fingerprint"] == THEIRS


def test_an_address_as_host(line):
    """IPv4 or IPv6, with brackets or without."""
    for host, kept in (("[2001:db8::2]", "2001:db8::2"), ("192.0.2.2", "192.0.2.2")):
        made = line.json("peer", "add", "b", "--host", host, *B[2:])
        assert made["host"] == kept
        line.do("peer", "remove", "b")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--fingerprint", OURS, "the fingerprint of this node itself"),
        ("--fingerprint", OURS.upper(), "the fingerprint of this node itself"),
        ("--fingerprint", "abc", "64 hexadecimal digits"),
        ("--host", "not a host", "cannot be part of a domain name"),
        ("--host", "", "needs the host name or address"),
        ("--domain", "vm1.example.com", "is our own"),
        ("--domain", "two words", "cannot be part of a domain name"),
    ],
)
def test_what_cannot_be_a_peer(line, option, value, words):
    """One sentence for each; nothing is changed."""
    options = list(B)
    options[options.index(option) + 1] = value
    assert words in line.refused("peer", "add", "b", *options)
    assert line.json("peer", "list") == []
    assert line.desk.announced == []


def test_no_two_alike(line):
    """Name, key and domain belong to one peer; the refusal says whose."""
    line.do("peer", "add", "node-b", *B)
    other = ("--host", "c.example", "--port", "25", "--domain", "vm3.example.com", "--fingerprint", "0c" * 32)
    assert "named NODE-B already" in line.refused("peer", "add", "NODE-B", *other)
    assert "node-b has the same public key" in line.refused("peer", "add", "c", *other[:-1], THEIRS)
    assert "belongs to the peer node-b" in line.refused("peer", "add", "c", *other[:5], "VM2.example.com", *other[6:])
    line.do("peer", "add", "c", *other)
    assert "node-b has the same public key" in line.refused("peer", "set", "c", "--fingerprint", THEIRS)
    assert "node itself" in line.refused("peer", "set", "c", "--fingerprint", OURS)


def test_options_that_are_needed(line):
    """Wrong usage is exit code 2."""
    assert line.run("peer", "add", "b").exit_code == 2
    assert line.run("peer", "add", "b", *B[:2], "--port", "0", *B[4:]).exit_code == 2


def test_a_peer_that_is_somebodys_home_stays(line):
    """The refusal says who lives there."""
    line.do("peer", "add", "node-b", *B)
    line.do("user", "add", "kim", "--home", "node-b")
    refusal = line.refused("peer", "remove", "node-b")
    assert "node-b" in refusal and "1 user (kim)" in refusal
    line.do("user", "delete", "kim")
    line.do("peer", "remove", "node-b")


def test_only_peers(line):
    """A VPIM location is none, in any verb; nobody is nobody."""
    line.do("location", "add", "london", "--domain", "london.example.org")
    assert line.json("peer", "list") == []
    for verb in (("show",), ("remove",), ("set", "--port", "26"), ("status",)):
        assert "no peer" in line.refused("peer", verb[0], "london", *verb[1:])
        assert "`unitymail peer list`" in line.refused("peer", verb[0], "nobody", *verb[1:])


def test_our_own_key(line):
    """What the other side must type, ready to be copied, and the same for programs."""
    command = (
        "unitymail peer add a --host a.example --port 25 --web-port 8443 --domain vm1.example.com "
        f"--fingerprint {OURS}"
    )
    shown = line.do("peer", "key")
    assert shown.endswith(f"On the other node type:\n{command}\n")
    assert line.json("peer", "key") == {
        "name": "a", "host": "a.example", "port": 25, "web_port": 8443, "domain": "vm1.example.com",
        "fingerprint": OURS, "command": command,
    }


def test_a_node_that_cannot_be_a_peer_yet(line):
    """Called localhost, door closed: said before somebody types it in."""
    line.desk.ourselves = Ourselves("localhost", 0, 0, "vm1.example.com", OURS)
    shown = line.do("peer", "key")
    assert "calls itself localhost" in shown and "door of this node is closed" in shown
    assert "peer add vm1 --host localhost --port 0 --domain" in shown


@pytest.fixture
def peer_b(line, tmp_path):
    """A peer that answers, and we with a certificate to show."""
    key, our_key = new_key(), new_key()
    script = ScriptedPeer(write_pair(tmp_path, "b", certificate(key, "localhost"), key))
    ours = certificate(our_key, "a.example")
    line.desk.ourselves = Ourselves(
        "a.example", 25, 0, "vm1.example.com", public_key_fingerprint(ours), *write_pair(tmp_path, "a", ours, our_key)
    )
    line.do("peer", "add", "b", "--host", "localhost", "--port", str(script.port), "--domain", "vm2.example.com",
            "--fingerprint", public_key_fingerprint(certificate(key)))
    yield script
    script.close()


def items(*steps):
    return SimpleNamespace(steps=tuple(StepState(step) if not isinstance(step, StepState) else step for step in steps))


def test_status(line, peer_b):
    """All peers, or those named; what waits for each; exit code 1 when something is wrong with one."""
    id = line.json("peer", "show", "b")["id"]
    step = HandOver(id, "kim@vm2.example.com")
    done = StepState(step, outcome=Outcome("done"))
    line.desk.queue.items = lambda: iter(
        [items(step, step), items(step, Deliver("u", "a@b.example")), items(done), items(HandOver("c", "x@y.example"))]
    )
    [facts] = line.json("peer", "status")
    assert (facts["name"], facts["ok"], facts["waiting"], facts["problem"]) == ("b", True, 2, "")
    assert "localhost" in line.do("peer", "status", "b")
    line.do("peer", "set", "b", "--fingerprint", THEIRS)
    result = line.run("peer", "status")
    assert result.exit_code == 1
    assert "its certificate has another key" in result.stdout


def test_status_without_peers(line):
    """Nothing to try, nothing wrong."""
    assert line.json("peer", "status") == []


def test_a_queue_too_long_to_be_read(line, peer_b, monkeypatch):
    """Then the number is left out, rather than minutes spent on it."""
    monkeypatch.setattr(peers, "MOST_COUNTED", 3)
    line.desk.queue.items = lambda: iter([items()] * 3)
    assert line.json("peer", "status")[0]["waiting"] == 0
    line.desk.queue.items = lambda: iter([items()] * 4)
    assert line.json("peer", "status")[0]["waiting"] is None
