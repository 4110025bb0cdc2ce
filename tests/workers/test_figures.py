"""The numbers of a node are those of all its processes, also of those that ended."""

from unitymail.workers.figures import Figures
from unitymail.workers.reporting import Reporting


def told(connections, longest, long, **events):
    return {"connections": connections, "longest_turn_ms": longest, "long_turns": long, "events": events}


def test_all_together():
    """Connections are of now, events and turns of ever."""
    figures = Figures()
    figures.heard(1, told(3, 4.0, 0, connected=5))
    figures.heard(2, told(2, 12.0, 1, connected=7, trouble=1))
    figures.heard(2, told(4, 12.0, 2, connected=9, trouble=1))
    assert figures.of(2) == {"connections": 4, "longest_turn_ms": 12.0, "long_turns": 2}
    figures.heard(2, None)
    figures.heard(2, None)
    figures.heard(3, told(1, 1.0, 0, connected=1))
    assert figures.all() == {
        "connections": 4, "longest_turn_ms": 12.0, "long_turns": 2, "events": {"connected": 15, "trouble": 1},
    }
    assert figures.of(2) == {}


def test_one_report_that_fails_does_not_stop_the_others():
    """The beat goes on, as a worker without one is ended."""
    from twisted.logger import globalLogPublisher

    seen = []
    globalLogPublisher.addObserver(seen.append)
    try:
        reports = Reporting()
        reports.add("bad", lambda: 1 / 0)
        reports.add("good", lambda: 7)
        assert reports.gather() == {"good": 7}
    finally:
        globalLogPublisher.removeObserver(seen.append)
    assert any("ZeroDivisionError" in str(event.get("log_failure")) for event in seen)
