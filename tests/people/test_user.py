"""Users: their addresses, their actions; scopes and classes that bind them."""

import pytest

from tests.fakes import ROBIN
from unitymail.mail.address import key_of
from unitymail.mail.message import Category
from unitymail.people.scope import SearchScope
from unitymail.people.user import Action, Actions


@pytest.mark.parametrize("category", Category)
def test_each_category_has_its_action(category):
    """Voice, email, fax, receipt; accept unless somebody chose otherwise."""
    assert Actions().of(category) is Action.ACCEPT
    assert Actions(**{category.value: Action.RELAY}).of(category) is Action.RELAY


def test_a_user_owns_primary_and_proxy_addresses():
    """In any case, and no others."""
    assert ROBIN.owns(key_of("Robin@VM1.Example.com"))
    assert ROBIN.owns(key_of("ROBIN.smith@example.com"))
    assert not ROBIN.owns(key_of("chris@vm1.example.com"))


def test_a_scope_reaches_its_partitions():
    """And nothing else."""
    scope = SearchScope("s", "S", ("p-1", "p-2"))
    assert scope.reaches("p-2")
    assert not scope.reaches("p-3")
