"""The matrix of access and TLS on a running node: swaks from many loopback addresses, settings changed meanwhile."""

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.policy.matrix import STRANGER, TRUSTED, listed, matrix
from tests.stories.house import PATIENCE_S, House, needs

AT_ONCE = 4
PLACES = {"here": "127.0.0.1", "elsewhere": "127.0.0.2"}
PORTS = {"mta": "smtp", "submission": "submission", "submissions": "submissions"}
SENDER, RECIPIENT = "robin.smith@example.com", "chris.jones@example.com"
NOT_ADVERTISED = {28: "none", 29: "none"}
"""How swaks ends where AUTH or STARTTLS is not offered."""
BARE = b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: Old\r\n\r\nOne\ntwo.\r\n.\r\n"
SETTINGS = [(require, tls) for require in ("yes", "no") for tls in ("disabled", "optional", "required")]


@pytest.fixture(scope="module")
def node(model, tmp_path_factory):
    """A running node that the stories of this file share."""
    needs("swaks")
    home = House.like(model, tmp_path_factory.mktemp("matrix") / "node")
    home.start()
    yield home
    home.stop()
    home.expect_short_turns()


def rules(home, *, allow="yes", require="yes", tls="required"):
    true = {"yes": "true", "no": "false"}
    home.run(
        "site", "set", f"smtp.allow_untrusted={true[allow]}", f"smtp.untrusted_require_auth={true[require]}",
        f"smtp.untrusted_tls={tls}",
    )  # fmt: skip


def entry(home, written):
    """`+10.0.0.1`: allow; `-`: deny; `~`: allow a legacy sender."""
    kind = {"+": ["--allow"], "-": ["--deny"], "~": ["--allow", "--legacy"]}[written[0]]
    home.run("access", "add", written[1:], *kind)


def swaks(home, door, ip, *, tls=False, auth=False, more=()):
    words = [
        "swaks", "--server", "127.0.0.1", "--port", str(home.ports[PORTS[door]]), "--local-interface", ip,
        "--from", SENDER, "--to", RECIPIENT, "--timeout", str(PATIENCE_S), *(more or ("--quit-after", "MAIL")),
    ]  # fmt: skip
    if tls:
        words.append("--tls-on-connect" if door == "submissions" else "--tls")
    if auth:
        words += ["--auth", "PLAIN", "--auth-user", "robin", "--auth-password", home.passwords["robin"]]
    return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S)


def outcome(home, door, ip, **how):
    """What became of it, in the words of the matrix."""
    done = swaks(home, door, ip, **how)
    if done.returncode in NOT_ADVERTISED:
        return NOT_ADVERTISED[done.returncode]
    said = [line[4:] for line in done.stdout.splitlines() if line.startswith(("<** ", "<~* "))]
    if not said:
        assert done.returncode == 0, done.stdout + done.stderr
        return "250"
    words = {"530 5.7.0 Must issue a STARTTLS": "TLS", "530 5.7.0 Authentication required": "AUTH", "554 5.7.1 ": "554"}
    return next((short for begin, short in words.items() if said[0].startswith(begin)), said[0])


def all_at_once(calls):
    """{what: outcome}; `calls` are (what, function), a few at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {what: pool.submit(call) for what, call in calls}
        return {what: future.result() for what, future in running.items()}


def ways(row):
    """(tls, auth, outcome) of a row, where there is such a way."""
    cells = (row.clear, row.clear_auth, row.under_tls, row.under_tls_auth)
    all_ways = zip((False, False, True, True), (False, True, False, True), cells, strict=True)
    return [(tls, auth, cell) for tls, auth, cell in all_ways if cell != "-"]


def assert_rows(home, rows, place):
    expected, calls = {}, []
    for row in rows:
        for tls, auth, cell in ways(row):
            what = (row.door, row.place, "TLS" if tls else "clear", "AUTH" if auth else "")
            expected[what] = cell
            calls.append((what, lambda row=row, tls=tls, auth=auth: outcome(
                home, row.door, place[row.place], tls=tls, auth=auth)))  # fmt: skip
    assert all_at_once(calls) == expected


@pytest.mark.parametrize(("require", "tls"), SETTINGS)
def test_untrusted_addresses(node, require, tls):
    """Every row of the matrix, for an address that no entry names; a changed setting holds at once."""
    rules(node, require=require, tls=tls)
    assert_rows(node, [row for row in matrix(STRANGER) if (row.require, row.tls) == (require, tls)], PLACES)


def test_the_list(node):
    """Entries of every kind, each with addresses of its own: denied, trusted, legacy, or as good as unknown."""
    rules(node)
    calls, expected, legacy = [], {}, []
    for number, (entries, address, standing) in enumerate(listed()):
        if any(each[1:] == "*" for each in entries):
            continue
        names = {
            "a": f"127.{number + 10}.5.3", "other": f"127.{number + 10}.5.4", "far": f"127.{number + 110}.5.3",
            "block": f"127.{number + 10}.5.0/24", "pattern": f"127.{number + 10}.5.*",
            "wide": f"127.{number + 10}.0.0/16",
        }  # fmt: skip
        for each in entries:
            entry(node, each.format(**names))
        ip, what = address.format(**names), (" ".join(entries), address)
        expected[what] = {"denied": "554", "untrusted": "TLS"}.get(standing, "250")
        calls.append((what, lambda ip=ip: outcome(node, "mta", ip)))
        if standing in ("legacy", "trusted"):
            legacy.append((ip, standing == "legacy"))
    assert all_at_once(calls) == expected
    message = node.folder / "bare.eml"
    message.write_bytes(BARE)
    sent = all_at_once(
        (ip, lambda ip=ip: swaks(node, "mta", ip, more=("--data", f"@{message}", "--no-data-fixup")).stdout)
        for ip, _ in legacy
    )
    for ip, forgiven in legacy:
        assert ("250 2.0.0 Accepted" if forgiven else "550 5.6.0") in sent[ip], sent[ip]


def test_closed_to_untrusted_addresses(node):
    """Where they may not connect they hear 554 in place of the banner, at every door, after the handshake on 465."""
    rules(node, allow="no")
    calls = [
        ((door, ip), lambda door=door, ip=ip: outcome(node, door, ip, tls=door == "submissions"))
        for door in PORTS for ip in PLACES.values()
    ]  # fmt: skip
    assert set(all_at_once(calls).values()) == {"554"}


def test_trusted_addresses(node):
    """What is said of untrusted addresses, here the strictest, does not touch an address that is allowed."""
    rules(node, allow="no")
    places = {"here": "127.0.0.1", "elsewhere": "127.0.0.77"}
    for ip in places.values():
        entry(node, f"+{ip}")
    assert_rows(node, matrix(TRUSTED), places)
    node.run("access", "remove", "127.0.0.1")
    assert outcome(node, "mta", "127.0.0.1") == "554"


def test_a_star(node):
    """`*` names every address: all are denied but those with an entry of their own, or all are allowed."""
    rules(node, require="no", tls="optional")
    entry(node, "+127.0.0.78")
    entry(node, "-*")
    found = all_at_once(
        (ip, lambda ip=ip: outcome(node, "submissions" if ip == "127.0.0.3" else "mta", ip, tls=ip == "127.0.0.3"))
        for ip in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.78")
    )
    assert found == {"127.0.0.1": "554", "127.0.0.2": "554", "127.0.0.3": "554", "127.0.0.78": "250"}
    node.run("access", "remove", "*")
    assert outcome(node, "mta", "127.0.0.2") == "250"
    rules(node, allow="no")
    entry(node, "+*")
    assert outcome(node, "mta", "127.0.0.2") == "250"
    node.run("access", "remove", "*")


def test_connections_of_an_address(node):
    """More than an address may have are refused until one ends; other addresses do not notice."""
    rules(node, require="no", tls="optional")
    node.run("site", "set", "smtp.max_connections_per_address=2")
    held = [socket.create_connection(("127.0.0.1", node.ports[door]), PATIENCE_S, ("127.0.0.9", 0))
            for door in ("smtp", "submission")]  # fmt: skip
    try:
        for connection in held:
            assert connection.recv(100).startswith(b"220 ")
        assert outcome(node, "mta", "127.0.0.9").startswith("421 4.3.2 There are 2 connections open from 127.0.0.9")
        assert outcome(node, "mta", "127.0.0.10") == "250"
        held.pop().close()
        node.hears(" disconnected ", "door=submission ", "client=127.0.0.9 ")
        assert outcome(node, "mta", "127.0.0.9") == "250"
    finally:
        for connection in held:
            connection.close()
        node.run("site", "set", "smtp.max_connections_per_address=50")
