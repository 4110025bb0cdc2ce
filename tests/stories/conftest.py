"""A house per story."""

import pytest

from tests.stories.house import House


@pytest.fixture
def house(tmp_path):
    """A running node with Robin and Chris."""
    home = House(tmp_path / "node")
    home.add_people()
    home.start()
    yield home
    home.stop()
