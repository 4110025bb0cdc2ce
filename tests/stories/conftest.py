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
def house(model, tmp_path):
    """A running node with Robin and Chris."""
    home = House.like(model, tmp_path / "node")
    home.start()
    yield home
    home.stop()
