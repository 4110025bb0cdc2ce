"""A house per story; the model that each is copied from is made once. One site, which its stories share."""

import pytest

from tests.stories.day import Day
from tests.stories.house import House
from tests.stories.site import Site


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A node with Robin and Chris that never runs."""
    home = House(tmp_path_factory.mktemp("model") / "node")
    home.add_people()
    return home


@pytest.fixture
def stopped_house(model, tmp_path):
    """A node with Robin and Chris for a story that starts and ends it by itself; whatever happens, it is ended."""
    home = House.like(model, tmp_path / "node")
    yield home
    home.kill()


@pytest.fixture
def house(model, tmp_path):
    """A running node with Robin and Chris; none of its reactor's turns may take more than 10 ms of CPU."""
    home = House.like(model, tmp_path / "node")
    home.start()
    try:
        yield home
    finally:
        home.stop()
    home.expect_short_turns()


@pytest.fixture
def day(request, model, tmp_path):
    """Chris's mailbox on a running node, to which mail keeps coming; in the end all must be as the story says.

    A test that is parametrized with `day` and indirect says how many processes serve it.
    """
    home = House.like(model, tmp_path / "node", getattr(request, "param", 1))
    told = Day(home)
    try:
        yield told.begins()
        told.night()
    finally:
        told.postman.give_up()
        home.kill()


class Builder:
    """The site that stands; another one after a story that went wrong, which may have left anything."""

    def __init__(self, folders):
        self._folders = folders
        self._site = None
        self.sound = True

    def site(self):
        if self._site is not None and not (self.sound and self._site.runs()):
            self.close()
        if self._site is None:
            self._site, self.sound = Site(self._folders.mktemp("site")), False
            self._site.start()
            self.sound = True
        return self._site

    def close(self):
        if self._site is not None:
            self._site.close()
            self._site = None


@pytest.fixture(scope="session")
def builder(tmp_path_factory):
    built = Builder(tmp_path_factory)
    yield built
    built.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A story that failed may have left anything behind: its site is not used again."""
    report = yield
    if report.failed and (builder := item.funcargs.get("builder")) is not None:
        builder.sound = False
    return report


@pytest.fixture
def site(builder):
    """Four running nodes. Nothing may be under way at the end, no turn of a reactor may have been long, and nobody may
    have been surprised."""
    built = builder.site()
    before = {name: (house.process, len(house.output)) for name, house in built.houses.items()}
    yield built
    if not builder.sound:
        return
    built.quiet()
    for name, house in built.houses.items():
        process, length = before[name]
        since = length if house.process is process else 0
        house.expect_short_turns(since)
        assert [line for line in house.output[since:] if "Traceback" in line or " trouble " in line] == []


@pytest.fixture
def postfix(site):
    """A real mail server, beside the site until both end."""
    return site.postfix()
