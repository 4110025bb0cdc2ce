"""What Robin gets back: replies from another node, a voice-mail system and outside, reports, and receipts."""

import smtplib
import subprocess

import pytest

from tests.sound import NEAR_DB, REFERENCE, samples_of, snr_db
from tests.stories.house import PATIENCE_S, ROOT, hand_in, needs, until
from tests.stories.site import CHRIS, DANA, JO, PAT, ROBIN, Told, letter, parsed, tag

OUT = "terry@elsewhere.example"
LISTED, STRANGER = "127.0.0.1", "127.0.0.9"
"""Node A has the first on its access list."""


def only_audio(octets):
    """The WAV of a message, as Outlook finds it: an attachment with this name."""
    (part,) = [part for part in parsed(octets).walk() if part.get_content_maintype() == "audio"]
    assert (part.get_content_type(), part.get_filename()) == ("audio/wav", "VoiceMessage.wav")
    assert part.get_content_disposition() == "attachment"
    return part.get_content()


def reply_to(octets, word, sender):
    """A voice message back to whom From shows, with the references that Outlook sets."""
    shown = parsed(octets)
    address = (shown["Reply-To"] or shown["From"]).addresses[0].addr_spec
    name, _, _ = sender.partition("@")
    return address, letter(
        "voice_reply", word, From=f"{name} <{sender}>", To=f"<{address}>",
        In_Reply_To=shown["Message-ID"], References=shown["Message-ID"],
    )


def swaks(server, sender, recipient, octets, path):
    """A mail program outside, which hands its mail to the relay."""
    needs("swaks")
    path.write_bytes(octets)
    subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{server.port}", "--tls", "--auth", "PLAIN", "--auth-user", server.username,
         "--auth-password", server.password, "--from", sender, "--to", recipient, "--data", f"@{path}",
         "--silent", "2"],
        check=True, capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip


def test_chris_answers(site):
    """Chris replies from node B to the From of what came; Robin reads it on node A, the same octets."""
    word, back = tag(), tag()
    site.a.submit("robin", [CHRIS], letter("viewmail_voice", word), sender=ROBIN)
    (came,) = site.inbox(site.b, "chris", word)
    address, reply = reply_to(came, back, CHRIS)
    assert address == ROBIN
    site.b.submit("chris", [address], reply, sender=CHRIS)
    (got,) = site.inbox(site.a, "robin", back)
    assert got.endswith(b"\r\n" + reply)
    assert parsed(got)["In-Reply-To"] == f"<{word}@example.com>"


def test_everybody_is_answered(site):
    """Reply-all from C: Robin and Chris have it once each, though A, B and C all know both."""
    word, back = tag(), tag()
    site.a.submit("robin", [CHRIS, DANA], letter("email_plain", word, To=f"{CHRIS}, {DANA}"), sender=ROBIN)
    site.inbox(site.c, "dana", word)
    site.c.submit("dana", [ROBIN, CHRIS], letter("email_plain", back, From=DANA, To=ROBIN, Cc=CHRIS), sender=DANA)
    site.inbox(site.b, "chris", back)
    site.inbox(site.a, "robin", back)
    site.inbox(site.b, "chris", word)


def test_pat_answers_by_vpim(site):
    """Another system's user replies; Robin has a WAV that Outlook plays, from the contact's name and address here."""
    word, back = tag(), tag()
    site.a.submit("robin", [PAT], letter("viewmail_voice", word), sender=ROBIN)
    (came,) = site.inbox(site.d, "pat", word)
    assert snr_db(REFERENCE, samples_of(only_audio(came), "wav")) >= NEAR_DB
    assert parsed(came)["From"] == "Robin at Head Office <robin@head.example>"
    address, reply = reply_to(came, back, "pat@elsewhere.example")
    site.d.submit("pat", [address], reply, sender="pat@elsewhere.example")
    (got,) = site.inbox(site.a, "robin", back)
    shown = parsed(got)
    assert shown["From"].addresses[0].addr_spec in (PAT, "pat@vm1.example.com")
    assert shown["From"].addresses[0].display_name == "Pat Lee"
    assert (shown["Content-Class"], shown["Message-Context"]) == ("voice", "voice-message")
    sent = next(part for part in parsed(reply).walk() if part.get_content_maintype() == "audio").get_content()
    assert snr_db(samples_of(sent, "wav"), samples_of(only_audio(got), "wav")) >= NEAR_DB

    again = tag()
    site.a.submit("robin", [shown["From"].addresses[0].addr_spec], letter("viewmail_voice", again), sender=ROBIN)
    site.inbox(site.d, "pat", again)


def london_calls(site, to, word):
    """Jo's machine hands a message in at node A."""
    sender = "8882233@london.example.org"
    with site.a.smtp(door="smtp") as client:
        hand_in(client, sender, [to], letter("vpim_in_basic", word, To=f"<{to}>", From=f'"Poole, Jo" <{sender}>'))


def test_london_answers(site):
    """A machine hands its message in; From is mapped to the contact, the prefix of our numbers is taken off."""
    word = tag()
    london_calls(site, "7771041@vm1.example.com", word)
    (got,) = site.inbox(site.a, "robin", word)
    assert str(parsed(got)["From"]) == f"Jo Poole <{JO}>"
    assert snr_db(REFERENCE, samples_of(only_audio(got), "wav")) >= NEAR_DB


def test_london_writes_to_chris(site):
    """A location is homed on one node: what it sends for a user of another is converted once and arrives there."""
    word = tag()
    london_calls(site, "7771042@vm1.example.com", word)
    (got,) = site.inbox(site.b, "chris", word)
    assert str(parsed(got)["From"]) == f"Jo Poole <{JO}>"
    assert snr_db(REFERENCE, samples_of(only_audio(got), "wav")) >= NEAR_DB


def test_chris_writes_to_london(site):
    """Mail for a location that is homed elsewhere goes by way of that node."""
    word = tag()
    site.b.submit("chris", [JO], letter("viewmail_voice", word, From=CHRIS), sender=CHRIS)
    (jo,) = until(lambda: site.london.having(word), site.journals)
    assert (jo.sender, jo.recipients) == ("7771042@vm1.example.com", ["8882233@london.example.org"])


def test_a_reply_from_outside(site, postfix):
    """It comes by the smart host: by default its sender is unknown and it is bad mail; requeued under a rule that takes
    senders from trusted addresses it is Robin's, as the next one is at once."""
    word, other = tag(), tag()
    with site.through_postfix():
        for one, rule in ((word, "bad-mail"), (other, "accept-from-trusted")):
            with site.rules(site.a, f"unknown_sender={rule}"):
                octets = letter("voice_reply", one, From=OUT, To=ROBIN)
                swaks(postfix, OUT, ROBIN, octets, site.folder / f"{one}.eml")
                if rule == "bad-mail":
                    (bad,) = until(lambda: site.a.ask("badmail", "list"), site.journals)
                    assert (bad["sender"], bad["subject"].endswith(word)) == (OUT, True)
                    assert site.having(site.a, "robin", word) == []
                else:
                    (got,) = site.inbox(site.a, "robin", one)
                    assert parsed(got)["From"] == OUT
                    site.a.run("badmail", "requeue", bad["id"])
                    site.inbox(site.a, "robin", word)
    assert site.a.ask("badmail", "list") == []


@pytest.mark.parametrize(("rule", "welcome"), [
    ("bad-mail", ()), ("accept-from-trusted", (LISTED,)), ("accept", (LISTED, STRANGER)),
], ids=["nobody", "listed", "anybody"])  # fmt: skip
def test_who_may_bring_mail_of_outside_senders(site, rule, welcome):
    """Each value of unknown_sender: nobody, who is on the access list, anybody. Others are told 250 all the same."""
    words = {caller: tag() for caller in (LISTED, STRANGER)}
    open_door = ("smtp.untrusted_require_auth=false", "smtp.untrusted_tls=optional")
    with site.rules(site.a, f"unknown_sender={rule}", *open_door):
        for caller, word in words.items():
            address = ("127.0.0.1", site.a.ports["smtp"])
            with smtplib.SMTP(*address, timeout=PATIENCE_S, source_address=(caller, 0)) as client:
                hand_in(client, OUT, [ROBIN], letter("voice_reply", word, From=OUT, To=ROBIN))
        for caller in welcome:
            site.inbox(site.a, "robin", words[caller])
        site.quiet()
        refused = {word for caller, word in words.items() if caller not in welcome}
        bad = site.a.ask("badmail", "list")
        assert {each["subject"].split()[-1] for each in bad} == refused
        assert not any(site.having(site.a, "robin", word) for word in refused)
        for each in bad:
            site.a.run("badmail", "delete", "--yes", each["id"])


def test_a_report_from_outside(site, postfix):
    """Postfix takes a message and reports later that nobody wants it: Robin has the report, from a null sender."""
    word = tag()
    with site.through_postfix():
        site.a.submit("robin", ["bounced@elsewhere.example"], letter("viewmail_voice", word), sender=ROBIN)
        (got,) = site.inbox(site.a, "robin", word)
        site.quiet()
    report = Told(got)
    assert got.startswith(b"Return-Path: <>\r\n")
    assert report.groups == [("bounced@elsewhere.example", "failed", "5.1.1")]
    assert site.a.ask("badmail", "list") == []


def test_a_receipt_when_chris_opens_it(site):
    """Robin asked to be told: one receipt when a client first sets Seen, from Chris's node, none for a second look."""
    word = tag()
    octets = letter("viewmail_voice", word, Disposition_Notification_To=ROBIN)
    trace = site.a.submit("robin", [CHRIS], octets, sender=ROBIN)
    site.inbox(site.b, "chris", word)
    site.quiet()
    with site.b.imap("chris") as box:
        box.select("INBOX")
        _, (found,) = box.uid("SEARCH", "SUBJECT", word)
        box.uid("FETCH", found.decode(), "(BODY[])")
        (got,) = site.inbox(site.a, "robin", f"{word}@example.com")
        box.uid("STORE", found.decode(), "-FLAGS", "(\\Seen)")
        box.uid("STORE", found.decode(), "+FLAGS", "(\\Seen)")
        assert b"$MDNSent" in box.uid("FETCH", found.decode(), "(FLAGS)")[1][0]
    shown = parsed(got)
    assert (shown.get_content_type(), shown.get_param("report-type")) == (
        "multipart/report", "disposition-notification"
    )
    fields = next(part for part in shown.walk() if part.get_content_type() == "message/disposition-notification")
    fields = fields.get_payload(0) if fields.is_multipart() else parsed(fields.get_payload(decode=True))
    assert fields["Original-Message-ID"] == f"<{word}@example.com>"
    assert fields["Disposition"].replace(" ", "").endswith("MDN-sent-automatically;displayed")
    assert "Chris Jones" in str(shown["From"])
    site.quiet()
    assert len(site.inbox(site.a, "robin", f"{word}@example.com")) == 1
    (there,) = {line.split(" trace=")[1].split()[0] for line in site.b.output if f"message_id=<{word}@" in line}
    assert "read" in site.b.run("trace", there).lower()
    assert trace in site.a.run("trace", "--message-id", f"<{word}@example.com>")
