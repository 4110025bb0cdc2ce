"""What a worker tells its parent with each beat."""

import os

from twisted.internet.interfaces import IPushProducer
from twisted.internet.process import ProcessWriter
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from zope.interface.verify import verifyObject

from unitymail.workers.reporting import BEAT_EVERY_S, Reporting


def test_one_report_that_fails_does_not_stop_the_others():
    """The beat goes on, as a worker without one is ended."""
    seen = []
    globalLogPublisher.addObserver(seen.append)
    try:
        told = []
        reports = Reporting(told.append, Clock())
        reports.add("bad", lambda: 1 / 0)
        reports.add("good", lambda: 7)
        reports.beat()
        assert told == [{"good": 7}]
    finally:
        globalLogPublisher.removeObserver(seen.append)
    assert any("ZeroDivisionError" in str(event.get("log_failure")) for event in seen)


def test_it_beats_once_a_second_until_it_is_stopped():
    """And may be stopped twice, as the end of the line does."""
    told, clock = [], Clock()
    reports = Reporting(told.append, clock)
    reports.start()
    clock.pump([BEAT_EVERY_S] * 3)
    assert len(told) == 4
    reports.stop()
    reports.stopProducing()
    clock.pump([BEAT_EVERY_S] * 3)
    assert len(told) == 4 and not clock.getDelayedCalls()


class Writers(Clock):
    """A reactor that writes when it is told to."""

    def __init__(self):
        super().__init__()
        self.writers = set()

    def addWriter(self, writer):
        self.writers.add(writer)

    def removeWriter(self, writer):
        self.writers.discard(writer)

    def addReader(self, reader):
        pass

    def removeReader(self, reader):
        pass

    def write(self):
        for writer in list(self.writers):
            writer.doWrite()


def test_a_parent_that_does_not_listen_for_an_hour():
    """What waits for it is what the line holds, and it hears the newest soon after it listens again."""
    listening, saying = os.pipe()
    reactor, count = Writers(), [0]
    line = ProcessWriter(reactor, None, "line", saying)
    reports = Reporting(lambda told: line.write(b"%d\n" % told["number"] + b"x" * 999 + b"\n"), reactor)
    assert verifyObject(IPushProducer, reports)

    def number():
        count[0] += 1
        return count[0]

    reports.add("number", number)
    line.registerProducer(reports, True)
    reports.start()
    for _ in range(3_600):
        reactor.advance(BEAT_EVERY_S)
        reactor.write()
    held = count[0]
    assert 100 < held < 200
    heard = b""
    for _ in range(10):
        reactor.advance(BEAT_EVERY_S)
        reactor.write()
        heard += os.read(listening, 1 << 20)
    assert held < count[0] <= held + 10
    assert [int(number) for number in heard.split()[::2]] == list(range(1, count[0] + 1))
    reports.stop()
    line.unregisterProducer()
    line.stopWriting()
    os.close(listening)
    os.close(saying)
