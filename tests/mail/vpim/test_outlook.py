"""The words and octets around what is heard: pure."""

from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.mail.structure import scan
from unitymail.mail.vpim.outlook import (
    Attached,
    Heading,
    Speaker,
    header_of,
    part_header,
    sentence,
    subject_for,
    text_part,
)

PAT = Speaker("Pat Lee", "177", "177@vpim.example.net")


@pytest.mark.parametrize(("one", "words"), [
    (Attached("voice", 1, "Pat Lee", 2.92), "Voice message from Pat Lee, 0:03."),
    (Attached("voice", 1, "177", 0.01), "Voice message from 177, 0:01."),
    (Attached("voice", 1, "Pat Lee", 119.6), "Voice message from Pat Lee, 2:00."),
    (Attached("voice", 1, "Pat Lee", 3661.0), "Voice message from Pat Lee, 1:01:01."),
    (Attached("voice", 2, "Jo", 14.0, True, "10 Mar 2014 12:00 UTC"),
     "Forwarded voice message from Jo, 0:14 (sent 10 Mar 2014 12:00 UTC)."),
    (Attached("fax", 1, "Pat Lee"), "Fax message from Pat Lee."),
    (Attached("fax", 1, "Jo", forwarded=True), "Forwarded fax message from Jo."),
    (Attached("message", 1), "A message without audio or fax is attached."),
])  # fmt: skip
def test_a_sentence_for_each_file(one, words):
    """Who, how long, and whether it was forwarded."""
    assert sentence(one) == words


def test_the_first_of_each_kind_has_no_number():
    """VoiceMessage.wav, VoiceMessage(2).wav: what Outlook users know."""
    for one, name in (
        (Attached("voice", 1), "VoiceMessage.wav"), (Attached("voice", 2), "VoiceMessage(2).wav"),
        (Attached("fax", 1), "FaxMessage.tif"), (Attached("fax", 3), "FaxMessage(3).tif"),
        (Attached("message", 1, encoding="8bit"), "Message.eml"),
    ):
        header = message_from_bytes(part_header(one), policy=policy.default)
        assert (header.get_filename(), header.get_content_disposition()) == (name, "attachment")
        assert header["Content-Transfer-Encoding"] == one.encoding


@pytest.mark.parametrize(("speaker", "subject"), [
    (PAT, "Voice Message from Pat Lee (177)"), (Speaker("", "177", ""), "Voice Message from 177"),
    (Speaker("Pat", "", ""), "Voice Message from Pat"), (Speaker("", "", ""), "Voice Message from an unknown caller"),
])
def test_a_subject_that_is_missing(speaker, subject):
    """Name and number, as far as they are known."""
    assert subject_for(Category.VOICE, speaker) == subject
    assert subject_for(Category.FAX, speaker) == subject.replace("Voice", "Fax")


def heading(**facts):
    plain = {
        "category": Category.VOICE, "speaker": PAT, "to": [("Chris", "chris@x.example")], "cc": [], "subject": "Hello",
        "sensitivity": Sensitivity.NORMAL, "importance": Importance.NORMAL, "message_id": "<1@x.example>", "when": 0.0,
    }
    return Heading(**{**plain, **facts})


def written(octets, **facts):
    header = header_of(heading(**facts), octets, scan(octets).root, b"bb")
    return header, message_from_bytes(header, policy=policy.default)


def test_a_date_that_is_broken_becomes_that_of_arrival():
    """A good one stays as it was written, with its zone."""
    arrived = "Thu, 01 Jan 1970 00:00:00 -0000"
    for date, shown in ((b"Date: Mon, 10 Mar 2014 08:20:20 -0500 (CDT)\r\n", "Mon, 10 Mar 2014 08:20:20 -0500"),
                        (b"Date: soon\r\n", arrived), (b"", arrived)):
        _, message = written(date + b"\r\n")
        assert message["Date"].replace("+0000", "-0000") == shown


def test_marks_are_written_once_and_cleanly():
    """Private and urgent; nothing for what is normal."""
    header, message = written(b"\r\n", sensitivity=Sensitivity.PRIVATE, importance=Importance.HIGH)
    assert (message["Sensitivity"], message["Importance"]) == ("Private", "High")
    header, _ = written(b"Sensitivity: odd\r\nImportance: odd\r\n\r\n")
    assert b"Sensitivity" not in header
    assert b"Importance" not in header


ODD = st.binary(max_size=200).map(lambda octets: octets.replace(b"\n", b""))


@given(st.lists(st.tuples(st.sampled_from([b"Received", b"References", b"Date", b"Auto-Submitted", b"X-Odd"]), ODD),
                max_size=6), st.text(max_size=50), st.text(max_size=50))
def test_no_words_of_others_make_a_field(fields, name, subject):
    """Whatever a peer's header holds, ours has the fields it should have, and each of them ends where it should."""
    octets = b"".join(key + b": " + value + b"\r\n" for key, value in fields) + b"\r\n"
    header, message = written(octets, speaker=Speaker(name, "1", "1@x.example"), subject=subject)
    allowed = {"received", "references", "date", "auto-submitted", "from", "to", "subject", "message-id",
               "message-context", "content-class", "mime-version", "content-type"}
    assert {key.lower() for key in message.keys()} <= allowed  # noqa: SIM118
    assert header.endswith(b"\r\n\r\n")
    assert header.count(b"\r\n\r\n") == 1
    assert b"\0" not in header
    assert all(len(line) <= 998 for line in header.split(b"\r\n"))


def test_a_long_name_is_broken_into_lines():
    """Also one of plain letters: no line is longer than mail allows."""
    part = text_part([Attached("voice", 1, "Pat " * 500, 1.0)])
    assert all(len(line) <= 998 for line in part.split(b"\r\n"))
    assert message_from_bytes(part, policy=policy.default).get_content().count("Pat") == 500


@given(st.lists(st.text(max_size=2_000), max_size=3))
def test_the_text_is_one_part(names):
    """Whatever a speaker is called, the text says it, in lines that mail can carry."""
    part = text_part([Attached("voice", 1, name, 1.0) for name in names])
    header = part.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 998 for line in part.split(b"\r\n"))
    assert b"\0" not in header
    assert message_from_bytes(part, policy=policy.default).get_content_type() == "text/plain"
