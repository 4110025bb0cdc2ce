"""Class: clock jumps. A clock that is set, forward or back, ends no connection, holds up no mail and renumbers nothing.

Known examples: Stalwart's panic at the change to summer time; mail servers whose idle time-outs count by the wall clock
and drop everybody when ntpd corrects it. The node under test sees a clock that the test sets while it runs.
"""

import imaplib
import re
import struct
import textwrap
import time
from contextlib import ExitStack, closing
from email.utils import parsedate_to_datetime

import pytest

from tests.stories.house import fetch_all, hand_in, until, wait_a_little

HOUR = 3_600.0
LETTER = b"From: robin.smith@example.com\r\nTo: chris.jones@example.com\r\nSubject: %b\r\n\r\nTick.\r\n"
SHIFTED = """
    import mmap, struct, time
    real = time.time
    with open({path!r}, "rb") as file:
        by = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    time.time = lambda: real() + struct.unpack("d", by)[0]
    time.time_ns = lambda: int(time.time() * 1e9)
"""


class Clock:
    """The clock of a node: `by` sets it so many seconds apart from ours."""

    def __init__(self, house, folder):
        self._path = folder / "shift"
        self._path.write_bytes(struct.pack("d", 0.0))
        (folder / "sitecustomize.py").write_text(textwrap.dedent(SHIFTED).format(path=str(self._path)))
        house.environment["PYTHONPATH"] = f"{folder}:{house.environment['PYTHONPATH']}"
        self.shift = 0.0

    def by(self, seconds):
        with open(self._path, "r+b") as file:
            file.write(struct.pack("d", seconds))
        self.shift = seconds
        began = time.monotonic()
        while time.monotonic() - began < 1.5:  # for whatever would end, or begin, by it
            wait_a_little()

    def shows(self, moment):
        """Whether this is the time of now on it."""
        return abs(moment - time.time() - self.shift) < 60


@pytest.fixture
def clock(stopped_house, tmp_path):
    folder = tmp_path / "clock"
    folder.mkdir()
    return Clock(stopped_house, folder)


@pytest.fixture
def house(stopped_house, clock):
    return stopped_house.start()


@pytest.fixture
def ends():
    """What is entered here ends with the test, also where an assertion fails first."""
    with ExitStack() as stack:
        yield stack


def received(octets):
    """The moment in our Received field, Unix seconds."""
    field = re.search(rb"^Received:.*?;\s*(.*?)\r\n(?! )", octets, re.DOTALL | re.MULTILINE)[1]
    return parsedate_to_datetime(field.decode()).timestamp()


@pytest.mark.parametrize("jumps", [(6 * HOUR,), (-6 * HOUR,), (6 * HOUR, -20 * HOUR, 0.0)], ids=repr)
def test_nobody_is_sent_away(house, clock, jumps, ends):
    """Who idles stays, in mid-message too; mail goes through with the date of the new time; UIDs go on growing."""
    idle, writing = (ends.enter_context(closing(house.smtp("robin"))) for _ in range(2))
    box, idling = (house.imap("chris") for _ in range(2))
    ends.callback(box.shutdown)
    ends.callback(idling.shutdown)
    idling.select("INBOX")
    idling.send(b"i IDLE\r\n")
    assert idling.readline().startswith(b"+")
    validity = box.status("INBOX", "(UIDVALIDITY)")[1]
    writing.mail("robin.smith@example.com")
    writing.rcpt("chris.jones@example.com")
    writing.docmd("DATA")
    writing.send(LETTER % b"begun before")
    for number, jump in enumerate(jumps, 1):
        clock.by(jump)
        assert idle.noop()[0] == 250
        assert box.noop()[0] == "OK"
        hand_in(idle, "robin.smith@example.com", ["chris.jones@example.com"], LETTER % b"%d" % number)
        found = until(lambda number=number: len(found := fetch_all(box)) == number and found, "no message")
        assert clock.shows(received(found[max(found)]))
        assert house.imap("robin").logout()[0] == "BYE"
    writing.send(b".\r\n")
    assert writing.getreply()[0] == 250
    found = until(lambda: len(found := fetch_all(box)) == len(jumps) + 1 and found, "the message begun before")
    assert sorted(found) == list(range(1, len(jumps) + 2))
    assert box.status("INBOX", "(UIDVALIDITY)")[1] == validity
    until(lambda: idling.readline().endswith(b"%d EXISTS\r\n" % (len(jumps) + 1)), "IDLE did not tell")
    assert not [line for line in house.output if " code=421 " in line or " trouble " in line]
    assert idle.noop()[0] == 250


def test_folders_made_at_another_time(house, clock):
    """A folder that is deleted and made anew has a higher UIDVALIDITY, though the clock was set back between."""
    box = house.imap("chris")
    seen = []
    for shift in (10 * HOUR, 0.0, -10 * HOUR, -9 * HOUR):
        clock.by(shift)
        assert box.create("Again")[0] == "OK"
        seen.append(int(re.search(rb"UIDVALIDITY (\d+)", box.status("Again", "(UIDVALIDITY)")[1][0])[1]))
        assert box.delete("Again")[0] == "OK"
    assert seen == sorted(set(seen))
    box.logout()


def test_wrong_passwords_at_another_time(house, clock):
    """Failures counted at a wrong time lock nobody for longer than the rule says, nor let anybody guess for ever."""
    clock.by(48 * HOUR)
    for _ in range(7):
        with pytest.raises(imaplib.IMAP4.error):
            wrong(house)
    with pytest.raises(imaplib.IMAP4.error):
        house.imap("chris")
    clock.by(0.0)
    assert house.imap("chris").logout()[0] == "BYE"
    assert house.imap("robin").logout()[0] == "BYE"


def wrong(house):
    right, house.passwords["chris"] = house.passwords["chris"], "wrong"
    try:
        house.imap("chris")
    finally:
        house.passwords["chris"] = right
