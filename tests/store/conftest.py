"""The house that the tests of the store work in."""

import pytest

from tests.store.house import House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()


@pytest.fixture
def make_house(tmp_path):
    """Houses with settings or a disk of their own."""
    made = []

    def make(**settings):
        made.append(House(tmp_path, **settings))
        return made[-1]

    yield make
    for house in made:
        house.close()
