"""For every test: a folder of the run's own (what trial's `mktemp` makes never lands in the sources), and property
tests that a busy machine cannot fail: no deadlines, and in CI the same examples every time. No error is lost.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

settings.register_profile(
    "unitymail", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unitymail")

_lost = []
"""Failures that nobody took from their Deferreds."""


@globalLogPublisher.addObserver
def _hear(event):
    if event.get("log_namespace") == "twisted.internet.defer" and "log_failure" in event:
        _lost.append(event["log_failure"])


def _collect_garbage():
    """What is none will live as long as the run, nearly all of it: the collector passes it by from now on."""
    gc.collect()
    gc.freeze()


def pytest_collection_finish():
    _collect_garbage()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """trial looks at what is logged during its tests by itself, where tests may also say what they expect."""
    before = len(_lost)
    result = yield
    if item.cls is not None and issubclass(item.cls, SynchronousTestCase):
        del _lost[before:]
    return result


@pytest.fixture(scope="module", autouse=True)
def no_error_is_lost():
    """Whatever failed in a Deferred was taken by somebody: else it is logged when that is garbage, within any test."""
    yield
    _collect_garbage()
    lost = [failure.getTraceback() for failure in _lost]
    _lost.clear()
    assert not lost, "\n".join(lost)


@pytest.fixture(scope="session", autouse=True)
def a_folder_of_its_own(tmp_path_factory):
    """The working directory of the whole run."""
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("work"))
    yield
    os.chdir(before)


@pytest.fixture(autouse=True)
def a_umask_for_all():
    """Founding a node sets a narrow one for its process: here other tests follow."""
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)
