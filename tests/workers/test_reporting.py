"""What a worker tells its parent with each beat."""

from twisted.logger import globalLogPublisher

from unitymail.workers.reporting import Reporting


def test_one_report_that_fails_does_not_stop_the_others():
    """The beat goes on, as a worker without one is ended."""
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
