"""What `explain` says beforehand is what the running node then decides: for many messages, envelopes and settings."""

import json
import random
import re
import smtplib

from tests.stories.house import VECTORS, until

ROBIN, CHRIS = "robin.smith@example.com", "chris.jones@example.com"
RECIPIENTS = (
    CHRIS, "CHRIS@vm1.example.com", "chris+tag@vm1.example.com", "jo@example.com", "720+4455@vm1.example.com", ROBIN,
    "8882299@london.example.org", "team@vm1.example.com", "noloc@example.com", "far@vm1.example.com", "postmaster",
    "nobody@vm1.example.com", "out@elsewhere.example", "7771042@vm1.example.com",
)  # fmt: skip
SENDERS = {"robin": (ROBIN, "", CHRIS), None: (ROBIN, "8882233@london.example.org", "out@elsewhere.example", "")}
SETTINGS = (
    ("recipient_not_found=ndr", "unknown_sender=bad-mail", "smart_host.host="),
    ("recipient_not_found=smart-host", "unknown_sender=accept-from-trusted", "smart_host.host=192.0.2.1"),
    ("relay.allow_private=false", "relay.allow_secure=true", "subaddressing=false"),
    ("recipient_not_found=ndr", "unknown_sender=accept", "secure.confidential=true"),
)
VOICES = ("--action", "voice=accept-and-relay", "--action", "email=relay", "--action", "fax=reject",
          "--action", "receipt=reject", "--relay-address", "chris@phone.example")  # fmt: skip
ENVELOPES = 15
"""For each of the settings."""


def settle(house):
    for words in (
        "access add 127.0.0.1 --allow", "partition add Far", "user set chris --delegate robin --no-route-ndr",
        "location add London --domain london.example.org --host 192.0.2.2 --dial-id 720 --remote-prefix 888 "
        "--local-prefix 777 --blind-addressing --create-contacts",
        "contact add jo --location London --mailbox-number 2233 --proxy jo@example.com",
        "contact add noloc --proxy noloc@example.com",
        "list add team --member robin --member jo --member chris --allow-contacts",
        "list add far --member chris --partition Far",
    ):  # fmt: skip
        house.run(*words.split())


def send(house, user, sender, recipients, octets):
    """(the reply that ended it, recipients refused at RCPT); without TLS where nobody signs in."""
    client = house.smtp(user) if user else smtplib.SMTP("127.0.0.1", house.ports["smtp"], timeout=60)
    with client:
        client.ehlo()
        reply = client.mail(sender, ["BODY=8BITMIME"])
        if reply[0] != 250:
            return reply, []
        refused = [address for address in recipients if client.rcpt(address)[0] != 250]
        client.putcmd("data")
        reply = client.getreply()
        if reply[0] == 354:
            client.send(re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n")
            reply = client.getreply()
        return reply, refused


def in_ids(recipient):
    """A recipient as explain tells it, in the terms of the trace."""
    keys = ("step", "to", "account", "status", "about", "action", "original", "reason")
    steps = [{key: step[key] for key in keys if key in step} for step in recipient["steps"]]
    return recipient["address"], recipient["kind"], recipient["reason"], steps


def decided(house, trace):
    events = until(lambda: _events(house, trace), f"no story of {trace}")
    return next(event for event in events if event["event"] == "decided" and event["trace"] == trace)


def _events(house, trace):
    done = house.run("--json", "trace", trace, check=False)
    events = json.loads(done.stdout) if done.returncode == 0 else []
    return events if any(event["event"] == "decided" and event["trace"] == trace for event in events) else []


def letters():
    """Vectors that a client may send: no bare ends, no NUL, an end to the last line."""
    for path in sorted(VECTORS.glob("*.eml")):
        octets = path.read_bytes()
        if octets.endswith(b"\r\n") and b"\0" not in octets and not re.search(rb"(?<!\r)\n|\r(?!\n)", octets):
            yield path, octets


def differences(told, real):
    """(what was told, what was decided) where these are not the same."""
    plain = ("category", "rule", "sensitivity", "importance", "malformed")
    pairs = [(told[key], real[key]) for key in plain]
    pairs += [(told["secure_in_effect"], real["secure"]), (told["sender"]["verdict"], real["sender"]["verdict"])]
    pairs += [(list(map(in_ids, told["recipients"])), list(map(in_ids, real["recipients"])))]
    return [pair for pair in pairs if pair[0] != pair[1]]


def test_explain_tells_the_truth(house):
    """Kinds, steps, reasons, refusals: the same before and after, whoever sends what to whom under which rules."""
    settle(house)
    dice = random.Random(3)
    every = list(letters())
    for number, settings in enumerate(SETTINGS):
        house.run("site", "set", *settings)
        if number == 1:
            house.run("user", "set", "chris", *VOICES)
        accepted = []
        for _ in range(ENVELOPES):
            path, octets = dice.choice(every)
            user = dice.choice(("robin", None))
            sender, to = dice.choice(SENDERS[user]), dice.sample(RECIPIENTS, dice.randint(1, 5))
            told = house.ask("explain", "--from", sender or "<>", *(word for one in to for word in ("--to", one)),
                             "--as", user or "trusted", str(path))  # fmt: skip
            (code, words), refused = send(house, user, sender, to, octets)
            case = path.name, user, sender, to, settings, words
            assert refused == [one["address"] for one in told["recipients"] if "refusal" in one], case
            assert told.get("refusal", {"code": 250})["code"] == code, case
            if code == 250:
                accepted.append((case, told, re.search(rb"trace (\S+)", words)[1].decode()))
        assert len(accepted) > ENVELOPES // 3
        for case, told, trace in accepted:
            assert differences(told, decided(house, trace)) == [], case
