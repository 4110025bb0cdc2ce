"""A house per story; the model that each is copied from is made once."""

import pytest

from tests.stories.house import House


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
    assert [line for line in home.output if " long-turn " in line] == []
