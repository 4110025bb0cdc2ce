"""Nodes for what only a real one shows: the same as those of the stories."""

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
    """A node with Robin and Chris that the test starts; whatever happens, it is ended."""
    home = House.like(model, tmp_path / "node")
    yield home
    home.kill()
