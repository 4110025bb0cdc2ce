"""The SMTP clients that people and programs use, each through every door, with every mechanism that it knows."""

import asyncio
import json
import pathlib
import re
import subprocess

import aiosmtplib
import pytest

from tests.stories.house import PATIENCE_S, House, fetch_all, needs, no_check, until

SENDER, RECIPIENT = "robin.smith@example.com", "chris.jones@example.com"
DOORS = ("smtp", "submission", "submissions")
NODEMAILER = pathlib.Path(__file__).parent / "nodemailer"
TRACE = re.compile(r"250 2\.0\.0 .*?([0-9a-z]{20})")
SOURCED = 3


@pytest.fixture(scope="module")
def open_house(model, tmp_path_factory):
    """A running node that all stories of this file share."""
    home = House.like(model, tmp_path_factory.mktemp("clients") / "node")
    home.start()
    yield home
    home.stop()
    home.expect_short_turns()


def message(subject):
    return f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: {subject}\r\n\r\nHello.\r\n"


def ran(*words, **how):
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def by_swaks(house, door, mechanism, subject):
    needs("swaks")
    signing_in = ("--auth", mechanism, "--auth-user", "robin", "--auth-password", house.passwords["robin"])
    return ran(
        "swaks", "--server", "127.0.0.1", "--port", str(house.ports[door]), "--from", SENDER, "--to", RECIPIENT,
        "--tls-on-connect" if door == "submissions" else "--tls", *(signing_in if mechanism else ()),
        "--header", f"Subject: {subject}",
    )  # fmt: skip


def by_curl(house, door, mechanism, subject):
    needs("curl")
    scheme = "smtps" if door == "submissions" else "smtp"
    return ran(
        "curl", "--verbose", "--insecure", "--ssl-reqd", "--url", f"{scheme}://127.0.0.1:{house.ports[door]}",
        "--user", f"robin:{house.passwords['robin']}", "--login-options", f"AUTH={mechanism}", "--mail-from", SENDER,
        "--mail-rcpt", RECIPIENT, "--upload-file", "-", input=message(subject),
    )  # fmt: skip


def by_nodemailer(house, door, mechanism, subject):
    needs("node", "nodejs")
    needs_nodemailer()
    transport = {
        "host": "127.0.0.1", "port": house.ports[door], "secure": door == "submissions", "requireTLS": True,
        "tls": {"rejectUnauthorized": False}, "authMethod": mechanism,
        "auth": {"user": "robin", "pass": house.passwords["robin"]},
    }  # fmt: skip
    letter = {"from": SENDER, "to": RECIPIENT, "subject": subject, "text": "Hello."}
    return ran("node", "send.js", json.dumps({"transport": transport, "message": letter}), cwd=NODEMAILER)


def needs_nodemailer():
    """Skip the story when nodemailer is not installed; in CI that is a failure."""
    needs("sh")
    if not (NODEMAILER / "node_modules" / "nodemailer").is_dir():
        needs("nodemailer", "npm, then npm install --prefix tests/stories/nodemailer")


def by_smtplib(house, door, mechanism, subject):
    with house.smtp(door=door) as client:
        client.ehlo()
        client.user, client.password = "robin", house.passwords["robin"]
        client.auth(mechanism, getattr(client, "auth_" + mechanism.lower()))
        return said(*client.docmd("MAIL", f"FROM:<{SENDER}>"), *client.rcpt(RECIPIENT), *client.data(message(subject)))


def said(*codes_and_words):
    """The last reply of a dialogue in which all went well."""
    codes, words = codes_and_words[::2], codes_and_words[1::2]
    assert set(codes) == {250}, codes_and_words
    return f"250 {words[-1].decode()}"


def by_aiosmtplib(house, door, mechanism, subject):
    async def send():
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=house.ports[door], use_tls=door == "submissions",
            start_tls=door != "submissions", tls_context=no_check(), timeout=PATIENCE_S,
        )  # fmt: skip
        async with client:
            await client.ehlo()
            signed_in = await getattr(client, "auth_" + mechanism.lower())("robin", house.passwords["robin"])
            assert signed_in.code == 235
            _, words = await client.sendmail(SENDER, [RECIPIENT], message(subject))
            return f"250 {words}"

    return asyncio.run(send())


CLIENTS = {
    "swaks": (by_swaks, ("PLAIN", "LOGIN")),
    "curl": (by_curl, ("PLAIN", "LOGIN")),
    "nodemailer": (by_nodemailer, ("PLAIN", "LOGIN")),
    "smtplib": (by_smtplib, ("PLAIN", "LOGIN")),
    "aiosmtplib": (by_aiosmtplib, ("PLAIN", "LOGIN")),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_every_door_and_mechanism(open_house, name):
    """Each of its messages is there once, under the trace id that the client was told."""
    house = open_house
    deliver, mechanisms = CLIENTS[name]
    told = {}
    for door in DOORS:
        for mechanism in mechanisms:
            subject = f"{name} {door} {mechanism}"
            output = deliver(house, door, mechanism, subject)
            told[TRACE.findall(output)[-1]] = subject
    assert len(told) == len(DOORS) * len(mechanisms)
    found = [text for octets in house.read("chris").values() if f"Subject: {name} " in (text := octets.decode())]
    assert sorted(subject for trace, subject in told.items() if sum(trace in text for text in found) == 1) == sorted(
        told.values()
    )
    assert len(found) == len(told)
    for door in ("mta", "submission", "submissions"):
        assert any(f"transaction trace={trace}" in line and f"door={door}" in line for trace in told
                   for line in house.output)  # fmt: skip


def test_smtp_source(stopped_house):
    """Postfix's load generator knows neither TLS nor AUTH: the door of a trusted address is the one it can use."""
    needs("smtp-source", "postfix")
    house = stopped_house
    house.run("access", "add", "127.0.0.1", "--allow")
    house.start()
    ran("smtp-source", "-s", "2", "-m", str(SOURCED), "-f", SENDER, "-t", RECIPIENT, "-S", "sourced",
        f"inet:127.0.0.1:{house.ports['smtp']}")  # fmt: skip
    with house.imap("chris") as box:
        until(lambda: len(fetch_all(box)) == SOURCED, "not all came")
    house.stop()
    house.expect_short_turns()
