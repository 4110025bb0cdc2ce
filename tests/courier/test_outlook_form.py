"""Converting whatever a peer sends: it becomes a message that others can read, or fails in a way that has words."""

import pathlib
from email import message_from_bytes, policy
from time import thread_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes import CHRIS, FakeBook
from tests.sound import WatchedCodec
from tests.spool.room import HOST
from unitymail.codec import Codec
from unitymail.courier.outlook_form import NoMedia, OutlookForm, People, _carried
from unitymail.interfaces.codec import CannotDecode, TooLong, work_for
from unitymail.interfaces.spool import Item
from unitymail.mail.envelope import Envelope
from unitymail.mail.structure import scan
from unitymail.mail.windows import WINDOW
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.routing import categorise

VECTORS = pathlib.Path(__file__).parents[1] / "vectors"
MESSAGES = [path.read_bytes() for path in sorted(VECTORS.glob("vpim_in_*.eml"))]
FAR = Location("l-far", LocationKind.VPIM, "Far", "vpim.example.net", remote_prefix="9")
PAT = Contact("c-pat", "pat", "Pat Lee", location="l-far", mailbox_number="177")
EVERYBODY = DistributionList("d-all", "all", "all@vm1.example.com", "All of us", partition="p-default")
BOOK = FakeBook(CHRIS, FAR, PAT, EVERYBODY)
FORM = OutlookForm(codec=Codec(), book=BOOK, host=HOST)


def an_item(path, octets):
    path.write_bytes(octets)
    read = categorise.read(octets, ())
    return Item("t1", str(path), 1_764_000_000.0, Envelope("", ()), read.category.value, read.sensitivity.value, False,
                read.subject, read.message_id, "l-far", len(octets), 0, ())


@st.composite
def mutations(draw):
    """A vector with a few stretches replaced, removed or doubled."""
    octets = draw(st.sampled_from(MESSAGES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(octets)))
        stop = min(len(octets), start + draw(st.integers(0, 40)))
        put = draw(st.one_of(st.binary(max_size=8), st.just(octets[start:stop] * 2), st.just(b"\r\n")))
        octets = octets[:start] + put + octets[stop:]
    return octets


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutations())
def test_nothing_else_than_a_message_or_a_reason(tmp_path, octets):
    """Broken boundaries, headers, encodings, audio: what comes out parses and is in lines, or the sender hears why."""
    item = an_item(tmp_path / "m", octets)
    try:
        conversion = FORM.convert(item, b"", {True, False})
    except (NoMedia, CannotDecode, TooLong) as trouble:
        assert trouble.reply.enhanced in ("5.6.1", "5.6.5", "5.3.4")
        return
    for fax, one in conversion.made.items():
        made = one.file.read()
        message = message_from_bytes(made, policy=policy.default)
        kinds = [part.get_content_type() for part in message.iter_parts()]
        assert kinds[0] == "text/plain"
        assert set(kinds[1:]) <= {"audio/wav", "image/tiff", "message/rfc822"}
        assert fax or "image/tiff" not in kinds
        assert len(kinds) > 1
        assert b"\0" not in made
        assert not scan(made).malformed or "message/rfc822" in kinds
    conversion.close()


def people(header):
    octets = header + b"\r\n"
    return People(BOOK, "l-far"), octets, scan(octets).root


@pytest.mark.parametrize(("written", "expected"), [
    (b"Patricia <9177@vpim.example.net>", ("Pat Lee", "177", "9177@vpim.example.net")),
    (b"<9188@vpim.example.net>", ("", "188", "9188@vpim.example.net")),
    (b"Jo <188@vpim.example.net>", ("Jo", "188", "188@vpim.example.net")),
    (b"Jo <jo@elsewhere.example>", ("Jo", "", "jo@elsewhere.example")),
    (b"Jo <non-mail-user@vpim.example.net>", ("Jo", "", "non-mail-user@vpim.example.net")),
    (b"", ("", "", "")),
])
def test_who_speaks(written, expected):
    """A contact by number; else name and number as sent; nobody is nobody."""
    who, octets, root = people(b"From: " + written + b"\r\n")
    speaker = who.speaker(octets, root)
    assert (speaker.name, speaker.number, speaker.address) == expected


def test_who_it_was_sent_to():
    """Numbers of users become their names and addresses, lists and contacts get their names, others stay."""
    who, octets, root = people(
        b"To: <1042@vm1.example.com>, <all@vm1.example.com>,\r\n <9177@vpim.example.net>, X <x@y.example>\r\n")
    assert who.listed(octets, root, b"to") == [
        ("Chris Jones", "chris@vm1.example.com"), ("All of us", "all@vm1.example.com"),
        ("Pat Lee", "9177@vpim.example.net"), ("X", "x@y.example"),
    ]
    assert who.listed(octets, root, b"cc") == []


def test_no_from_at_all():
    """The envelope says who it was, when the header does not; of a forwarded message nothing does."""
    who, octets, root = people(b"Subject: x\r\n")
    speaker = who.speaker(octets, root, "9177@vpim.example.net")
    assert (speaker.name, speaker.number, speaker.address) == ("Pat Lee", "177", "9177@vpim.example.net")
    assert who.speaker(octets, root).shown == "an unknown caller"


def test_nothing_for_anybody(tmp_path):
    """A message in which there is nothing to hear or see is refused as such, whoever takes fax."""
    octets = MESSAGES[0].replace(b"Audio/32KADPCM", b"Text/Plain")
    with pytest.raises(NoMedia):
        FORM.convert(an_item(tmp_path / "m", octets), b"", {True, False})


def test_all_recordings_take_the_work_of_one(tmp_path):
    """A forwarded message and what was said about it together keep a processor busy as long as one may."""
    codec = WatchedCodec()
    octets = (VECTORS / "vpim_in_forwarded.eml").read_bytes()
    form = OutlookForm(codec=codec, book=BOOK, host=HOST)
    began = thread_time()
    form.convert(an_item(tmp_path / "m", octets), b"", {True}).close()
    assert len(codec.ends) == 2
    assert len(set(codec.ends)) == 1
    assert 0 < codec.ends[0] - began < 2 * work_for(BOOK.site.vpim_max_seconds)


def enclosed(body):
    octets = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n"
    octets += b"y" * (-len(b"Subject: x\r\n\r\n") % WINDOW) + body
    return octets, scan(octets).root


@pytest.mark.parametrize(("body", "expected"), [
    (b"plain\r\n", "7bit"), (b"caf\xc3\xa9\r\n", "8bit"), (b"\r\nat the seam", "7bit"), (b"a\0b\r\n", None),
    (b"a\nb\r\n", None), (b"a\rb\r\n", None), (b"\nx\r\n", None), (b"x\r", None),
    (b"y" * (WINDOW - 1) + b"\r\nx", "7bit"), (b"y" * (WINDOW - 1) + b"\rx", None), (b"y" * WINDOW + b"\nx", None),
])
def test_how_an_enclosed_message_may_stand(body, expected):
    """As it is where mail can carry it, left out where it has NUL or bare CR or LF, also at the seams of pieces."""
    octets, root = enclosed(body)
    assert _carried(octets, root) == expected
