"""Robin sends a voice message four ways: to a user of another node, a voice-mail system, outside, and to nobody."""

import email.policy
from email.message import EmailMessage

import pytest

from tests.rfc3801 import check, voice
from tests.sound import NEAR_DB, REFERENCE, amr, by_ffmpeg, samples_of, snr_db
from tests.stories.house import needs, until
from tests.stories.postfix import MECHANISMS
from tests.stories.site import CHRIS, JO, ROBIN, Told, asks, letter, parsed, tag

OUT, NOBODY = "pat@elsewhere.example", "barred@elsewhere.example"
"""Nobody here knows either; the smart host knows the first."""
POSTMASTER = "postmaster@vm1.example.com"
FOUR = [CHRIS, JO, OUT, NOBODY]


def test_each_gets_what_the_chapter_says(site, postfix):
    """Chris the same octets, Jo a VPIM message that RFC 3801 allows, outside Robin's own From, and Robin one report."""
    word = tag()
    sent = letter("viewmail_voice", word)
    with site.through_postfix():
        trace = site.a.submit("robin", FOUR, sent, sender=ROBIN)
        (chris,) = site.inbox(site.b, "chris", word)
        got = until(lambda: site.london.having(word), site.journals)
        outside = until(lambda: postfix.having(word), lambda: postfix.log() + site.journals())
        report = site.told(site.a, "robin", word)
        site.quiet()

    assert chris.endswith(b"\r\n" + sent)
    assert chris.startswith(b"Return-Path: <robin.smith@example.com>\r\n")
    (jo,) = got
    assert (jo.sender, jo.recipients) == ("7771041@vm1.example.com", ["8882233@london.example.org"])
    check(jo.octets, jo.sender, jo.recipients, mail=asks(jo.mail), rcpt=[asks(rcpt) for rcpt in jo.rcpts])
    assert snr_db(REFERENCE, samples_of(voice(jo.octets), "g726")) >= NEAR_DB
    ((to, octets),) = outside
    assert (to, octets.endswith(sent)) == (OUT, True)
    assert b'\nFrom: "Robin Smith" <robin.smith@example.com>\r\n' in octets
    assert report.groups == [(NOBODY, "failed", "5.1.1")]
    assert trace in report.words and NOBODY in report.words and OUT not in report.words
    assert [report.message[name].addresses[0].addr_spec for name in ("To", "From")] == [ROBIN, POSTMASTER]
    assert word in report.original[0].as_string()


def test_a_second_decoder_hears_the_same(site):
    """Debian's FFmpeg plays what London was sent."""
    needs("ffmpeg")
    word = tag()
    site.a.submit("robin", [JO], letter("viewmail_voice", word), sender=ROBIN)
    (jo,) = until(lambda: site.london.having(word), site.journals)
    assert snr_db(REFERENCE, by_ffmpeg(voice(jo.octets), "g726le", "-code_size", "4", "-ar", "8000")) >= NEAR_DB


def test_a_recording_of_a_telephone(site):
    """What a mobile phone recorded goes to Chris as it is; London hears what FFmpeg hears in it."""
    needs("ffmpeg")
    word, recording = tag(), amr(REFERENCE)
    sent = EmailMessage()
    sent["From"], sent["To"], sent["Subject"], sent["Message-ID"] = ROBIN, CHRIS, word, f"<{word}@example.com>"
    sent.set_content("")
    sent.add_attachment(recording, "audio", "amr", filename="rec.amr")
    site.a.submit("robin", [CHRIS, JO], sent.as_bytes(policy=email.policy.SMTP), sender=ROBIN)
    (chris,) = site.inbox(site.b, "chris", word)
    (kept,) = parsed(chris).iter_attachments()
    assert (kept.get_content_type(), kept.get_content()) == ("audio/amr", recording)
    (jo,) = until(lambda: site.london.having(word), site.journals)
    heard = by_ffmpeg(recording, "amr")
    assert len(heard) >= len(REFERENCE)
    assert snr_db(heard, samples_of(voice(jo.octets), "g726")) >= NEAR_DB


def test_trace_and_explain_tell_it(site):
    """`explain` before says what `trace` says after: who each recipient is, and the way to them."""
    word = tag()
    path = site.folder / f"{word}.eml"
    path.write_bytes(letter("viewmail_voice", word))
    options = [option for to in FOUR for option in ("--to", to)]
    told = site.a.ask("explain", "--from", ROBIN, *options, str(path))
    assert (told["category"], told["rule"], told["secure"], told["sender"]["kind"]) == ("voice", "R4", False, "user")
    found = {one["address"]: (one["kind"], [step["step"] for step in one["steps"]]) for one in told["recipients"]}
    assert found == {
        CHRIS: ("remote-user", ["hand-over"]), JO: ("vpim-contact", ["convert"]),
        OUT: ("unknown", ["relay-to-smart-host"]), NOBODY: ("unknown", ["relay-to-smart-host"]),
    }
    hops = {one["address"]: one["steps"][0]["next_hop"] for one in told["recipients"]}
    assert hops == {
        CHRIS: f"peer localhost:{site.b.ports['smtp']}", JO: f"vpim 127.0.0.1:{site.london.port}",
        OUT: f"smart-host 127.0.0.1:{site.outside.port}", NOBODY: f"smart-host 127.0.0.1:{site.outside.port}",
    }
    assert "hand-over" not in site.a.run("trace", "--message-id", f"<{word}@example.com>", check=False).stdout

    site.outside.script["rcpt"] += [None, "550 5.1.1 nobody of that name"]
    trace = site.a.submit("robin", FOUR, path.read_bytes(), sender=ROBIN)
    site.told(site.a, "robin", word)
    site.quiet()
    story = site.a.run("trace", trace)
    for words in ("the peer node-b", "the voice-mail system London", "the smart host 127.0.0.1", NOBODY, "5.1.1",
                  "voice by rule R4", f"<{word}@example.com>", "MAIL FROM:<robin.smith@example.com>", "250 2.0.0 kept",
                  "550 5.1.1 nobody of that name"):
        assert words in story, story
    events = site.a.ask("trace", "--message-id", f"<{word}@example.com>")
    assert {"received", "decided", "attempted", "reported"} <= {event["event"] for event in events}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    (there,) = {line.split(" trace=")[1].split()[0] for line in site.b.output if f"message_id=<{word}@" in line}
    assert "handed over by the peer" in site.b.run("trace", there) or "node-a" in site.b.run("trace", there)


def test_unknown_is_returned_where_the_site_says_so(site):
    """With recipient_not_found = ndr an outside address is as unknown as any: one report for both, nothing leaves."""
    word = tag()
    with site.rules(site.a, "recipient_not_found=ndr"):
        site.a.submit("robin", [OUT, NOBODY], letter("viewmail_voice", word), sender=ROBIN)
        report = site.told(site.a, "robin", word)
        site.quiet()
    assert report.groups == [(OUT, "failed", "5.1.1"), (NOBODY, "failed", "5.1.1")]
    assert site.outside.having(word) == []


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_signing_in_at_the_smart_host(site, postfix, mechanism):
    """By each mechanism, under TLS, the name of the certificate verified."""
    word = tag()
    with site.through_postfix(port=postfix.ports[mechanism]):
        site.a.submit("robin", [OUT], letter("email_plain", word), sender=ROBIN)
        until(lambda: postfix.having(word), lambda: postfix.log() + site.journals())
        site.quiet()
    assert f"sasl_method={mechanism}, sasl_username={postfix.username}" in postfix.log()


def test_what_the_smart_host_brings_back_stays(site, postfix):
    """Nobody of our own domain is asked for at the smart host, which sends it straight back: one report, no loop."""
    word = tag()
    with site.through_postfix():
        site.a.submit("robin", ["nobody@vm1.example.com"], letter("email_plain", word), sender=ROBIN)
        report = site.told(site.a, "robin", word)
        site.quiet()
    assert report.groups == [("nobody@vm1.example.com", "failed", "5.1.1")]


def test_refused_by_the_smart_host(site, postfix):
    """What it refuses at RCPT and what it returns later are both reported to Robin, once each."""
    word = tag()
    with site.through_postfix():
        site.a.submit("robin", ["barred@elsewhere.example", OUT], letter("email_plain", word), sender=ROBIN)
        report = site.told(site.a, "robin", word)
        assert report.groups == [("barred@elsewhere.example", "failed", "5.1.1")]
        assert report.status[1]["Diagnostic-Code"].startswith("smtp; 550 5.1.1")
        until(lambda: postfix.having(word), postfix.log)
        word = tag()
        site.a.submit("robin", ["bounced@elsewhere.example"], letter("email_plain", word), sender=ROBIN)
        (octets,) = site.inbox(site.a, "robin", word)
        assert b"Mail Delivery System" in octets and b"no such mailbox behind this relay" in octets


def test_later(site, postfix):
    """Asked to come back, the message waits; `queue list` says why."""
    word = tag()
    with site.through_postfix():
        trace = site.a.submit("robin", ["later@elsewhere.example"], letter("email_plain", word), sender=ROBIN)
        site.a.hears("attempted", trace)
        (row,) = until(lambda: [row for row in site.a.ask("queue", "list") if row["last_error"]], site.journals)
        assert (row["trace"], "come back later" in row["last_error"]) == (trace, True)
        site.a.run("queue", "bounce", "--yes", "--why", "We wait no longer.", trace)
        report = Told(site.inbox(site.a, "robin", word)[0])
    assert report.groups == [("later@elsewhere.example", "failed", "5.0.0")]
    assert "We wait no longer." in report.words
