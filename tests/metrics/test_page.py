"""The page for Prometheus: one address, one verb, few connections, and nothing kept of what visitors send."""

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from tests.fakes import RecordingJournal
from unitymail.metrics.page import IDLE_S, MOST_CONNECTIONS, MetricsPage


class Visit(StringTransport):
    """One connection to the page. `aborted`: it was cut off."""

    aborted = False

    def __init__(self, page):
        StringTransport.__init__(self)
        self.protocol = page.buildProtocol(None)
        self.protocol.makeConnection(self)

    def abortConnection(self):
        self.aborted = True
        self.protocol.connectionLost(Failure(ConnectionError()))

    def ask(self, line, headers=b"Host: x\r\n", body=b""):
        self.protocol.dataReceived(line + b" HTTP/1.1\r\n" + headers + b"\r\n" + body)
        answer = self.value()
        self.clear()
        return answer


@pytest.fixture
def page():
    made = MetricsPage(lambda: succeed(b"numbers\n"), journal=RecordingJournal(), clock=Clock())
    made.doStart()
    yield made
    made.doStop()
    made.close()
    assert not made.open


def journal_of(page):
    return page.journal


def test_the_numbers(page):
    """In the form that every Prometheus takes, over a connection that stays."""
    visit = Visit(page)
    for _ in range(2):
        answer = visit.ask(b"GET /metrics")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n" in answer
        assert b"numbers\n" in answer
    assert not visit.disconnecting


@pytest.mark.parametrize("line", [
    b"GET /", b"GET /metrics/", b"GET /metrics/x", b"GET //metrics", b"GET /../metrics", b"GET /metric%73", b"GET *",
    b"POST /metrics", b"HEAD /metrics", b"PUT /metrics", b"OPTIONS *", b"BREW /metrics", b"get /metrics",
])
def test_everything_else_is_nothing(page, line):
    """Another address or verb is 404, and tells nothing of the node but where to look."""
    answer = Visit(page).ask(line)
    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert b"numbers" not in answer
    assert b"Twisted" not in answer


def test_a_query_is_no_other_address(page):
    """Some collectors add parameters."""
    assert b"numbers" in Visit(page).ask(b"GET /metrics?name[]=x")


@pytest.mark.parametrize("headers", [
    b"Host: x\r\nContent-Length: 1000000000\r\n", b"Host: x\r\nTransfer-Encoding: chunked\r\n",
])
def test_a_body_is_cut_off(page, headers):
    """Whoever announces one is told so at once, and nothing of it is kept."""
    for line in (b"GET /metrics", b"POST /metrics"):
        visit = Visit(page)
        answer = visit.ask(line, headers, b"x" * 1_000)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert visit.disconnecting
        assert b"numbers" not in answer


@pytest.mark.parametrize("headers", [
    b"".join(b"X-%d: y\r\n" % number for number in range(60)), b"X: " + b"y" * 9_000 + b"\r\n",
])
def test_a_header_without_end(page, headers):
    """Many fields, or long ones, are refused."""
    visit = Visit(page)
    assert b"numbers" not in visit.ask(b"GET /metrics", headers)
    assert visit.disconnecting


def test_few_connections(page):
    """When there are too many, the one that asked longest ago ends: who holds places keeps no collector out."""
    visits = [Visit(page) for _ in range(MOST_CONNECTIONS)]
    visits[0].ask(b"GET /metrics")
    assert not any(visit.aborted for visit in visits)
    collector = Visit(page)
    assert [visit.aborted for visit in visits] == [number == 1 for number in range(MOST_CONNECTIONS)]
    assert b"numbers" in collector.ask(b"GET /metrics")
    assert len(page.open) == MOST_CONNECTIONS
    visits[0].abortConnection()
    Visit(page)
    assert sum(visit.aborted for visit in visits) == 2


@pytest.mark.parametrize("reads", [True, False])
def test_many_requests_at_once(page, reads):
    """Who does not read what he asked for gets no second page; who reads gets as many as he asks for."""
    visit = Visit(page)
    if not reads:
        visit.protocol.pauseProducing()
    visit.ask(b"GET /metrics")
    assert visit.aborted is not reads
    if reads:
        visit.protocol.pauseProducing()
        visit.protocol.resumeProducing()
        for _ in range(3):
            assert b"numbers" in visit.ask(b"GET /metrics")


def test_an_idle_connection_ends(page):
    """Whoever says nothing does not keep a place."""
    visit = Visit(page)
    page.reactor.advance(IDLE_S + 1)
    assert visit.disconnecting


def test_a_visitor_who_leaves_meanwhile():
    """What was to be told to one who left is told to nobody, and is no trouble."""
    waiting = Deferred()
    page = MetricsPage(lambda: waiting, journal=RecordingJournal(), clock=Clock())
    visit = Visit(page)
    visit.ask(b"GET /metrics")
    visit.abortConnection()
    waiting.callback(b"numbers\n")
    assert (visit.value(), journal_of(page).events) == (b"", [])


def test_numbers_that_cannot_be_had():
    """500 for the visitor, the reason in the journal."""
    async def broken():
        raise OSError("no disk")

    page = MetricsPage(broken, journal=RecordingJournal(), clock=Clock())
    visit = Visit(page)
    answer = visit.ask(b"GET /metrics")
    visit.abortConnection()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"no disk" not in answer
    assert [e.event for e in journal_of(page).events] == ["trouble"]
