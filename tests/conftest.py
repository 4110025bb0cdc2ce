"""For every test: a folder of the run's own (what trial's `mktemp` makes never lands in the sources), and property
tests that a busy machine cannot fail: no deadlines, and in CI the same examples every time."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "unitymail", deadline=None, derandomize=bool(os.environ.get("CI")), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unitymail")


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
