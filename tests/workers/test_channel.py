"""A line between two processes: one write a turn, words however the octets are cut, and no trust in noise."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from unitymail.workers.channel import Channel
from unitymail.workers.words import MAX_LINE, Beat, Cover, Ready, Stop, spoken


class Line:
    def __init__(self):
        self.clock, self.written, self.heard, self.confused = Clock(), [], [], []
        self.end = Channel(
            write=self.written.append, heard=self.heard.append, confused=self.confused.append, clock=self.clock
        )


def test_all_of_a_turn_in_one_write():
    """A thousand words of one turn cost one system call."""
    line = Line()
    for number in range(1000):
        line.end.say(Cover((number,)))
    assert line.written == []
    line.clock.advance(0)
    assert line.written == [b"".join(spoken(Cover((number,))) for number in range(1000))]
    line.end.say(Stop())
    line.end.flush()
    assert line.written[1:] == [spoken(Stop())]
    line.clock.advance(0)
    assert len(line.written) == 2


@given(st.lists(st.integers(1, 40), max_size=20))
def test_words_however_they_are_cut(cuts):
    """Octets come in any pieces."""
    words = [Beat({"work": {"a": 1}}), Ready(), Cover((1, 2)), Stop()]
    octets = b"".join(map(spoken, words))
    line = Line()
    for cut in cuts:
        line.end.receive(octets[:cut])
        octets = octets[cut:]
    line.end.receive(octets)
    assert line.heard == words and line.confused == []


def test_noise_ends_it():
    """After something that is no word nothing is believed any more, and nothing said."""
    line = Line()
    line.end.receive(spoken(Ready()) + b"Traceback\n" + spoken(Stop()))
    line.end.receive(spoken(Stop()))
    line.end.say(Stop())
    line.clock.advance(0)
    assert line.heard == [Ready()] and len(line.confused) == 1 and line.written == []
    assert "Traceback" in line.confused[0]


def test_a_line_without_end():
    """Memory does not grow with what somebody says."""
    line = Line()
    for _ in range(MAX_LINE // 65_536 + 1):
        line.end.receive(b"x" * 65_536)
    assert len(line.confused) == 1
    assert line.end._begun == b""
