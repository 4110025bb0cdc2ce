"""`unitymail list`: one address for many members."""

import pytest

from unitymail.directory.keepers import lists

OURS = "undeliverablemessages"


def test_every_option(unitymail, robin, chris):
    """All at once at first, shown by the names of the options, listed, changed, deleted."""
    unitymail.do("partition", "add", "Lists")
    unitymail.do("contact", "add", "kim")
    sales = unitymail.json(
        "list", "add", "sales", "--display-name", "Sales", "--member", "robin", "--member", "kim",
        "--proxy", "sales@example.com", "--partition", "Lists", "--allow-contacts", "--accept-foreign",
    )  # fmt: skip
    assert sales.pop("id")
    assert sales == {
        "alias": "sales", "address": "sales@vm1.example.com", "display_name": "Sales", "member": ["kim", "robin"],
        "members": 2, "proxy": ["sales@example.com"], "partition": "Lists", "allow_contacts": True,
        "accept_foreign": True,
    }  # fmt: skip
    changed = unitymail.json("list", "set", "sales", "--alias", "sale", "--member", "chris", "--no-accept-foreign")
    assert changed["member"] == ["chris"]
    assert changed["accept_foreign"] is False
    assert changed["proxy"] == ["sales@example.com", "sales@vm1.example.com"]
    assert unitymail.json("list", "set", "sale", "--proxy", "")["proxy"] == ["sales@vm1.example.com"]
    assert unitymail.json("list", "show", "SALE")["allow_contacts"] is True
    assert [one["alias"] for one in unitymail.json("list", "list")] == ["sale", OURS]
    assert unitymail.json("list", "delete", "sale")["deleted"] is True
    assert "no list named sale" in unitymail.refused("list", "show", "sale")


def test_single_members_come_and_go(unitymail, robin, chris):
    """By alias or address; twice is once; who is no member cannot be taken away."""
    assert "no members" in unitymail.run("list", "add", "sales").stderr
    added = unitymail.json("list", "member", "add", "sales", "robin.smith@example.com", "chris", "robin")
    assert added["member"] == ["chris", "robin"]
    unitymail.do("list", "member", "add", "sales", "chris")
    assert unitymail.json("list", "member", "remove", "sales", "robin")["member"] == ["chris"]
    assert "robin is no member of the list sales" in unitymail.refused("list", "member", "remove", "sales", "robin")
    assert "no user, contact or list nobody" in unitymail.refused("list", "member", "add", "sales", "chris", "nobody")
    assert unitymail.json("list", "show", "sales")["member"] == ["chris"]


def test_lists_in_lists_even_in_circles(unitymail, robin):
    """Whoever expands them stops; a list in itself is refused."""
    unitymail.do("list", "add", "a", "--member", "robin")
    unitymail.do("list", "add", "b", "--member", "a")
    assert unitymail.json("list", "member", "add", "a", "b")["member"] == ["b", "robin"]
    assert "cannot be a member of itself" in unitymail.refused("list", "member", "add", "a", "a")


def test_contacts_where_they_are_allowed(unitymail, robin):
    """Neither may they come in, nor may they be shut out while they are there."""
    unitymail.do("contact", "add", "kim")
    unitymail.do("list", "add", "sales")
    assert "--allow-contacts" in unitymail.refused("list", "member", "add", "sales", "kim")
    unitymail.do("list", "set", "sales", "--allow-contacts", "--member", "kim")
    assert "takes no contacts" in unitymail.refused("list", "set", "sales", "--no-allow-contacts")
    unitymail.do("contact", "delete", "kim")
    assert unitymail.json("list", "show", "sales")["members"] == 0


def test_limits(unitymail, robin, chris, monkeypatch):
    """Members of a list, of all lists, and lists: each refusal says the number."""
    monkeypatch.setattr(lists, "MOST_MEMBERS", 1)
    assert "at most 1" in unitymail.refused("list", "add", "a", "--member", "robin", "--member", "chris")
    monkeypatch.setattr(lists, "MOST_MEMBERS_OF_ALL", 1)
    unitymail.do("list", "add", "a", "--member", "robin")
    assert "All lists together" in unitymail.refused("list", "add", "b", "--member", "robin")
    monkeypatch.setattr(lists, "MOST", 2)
    assert "at most 2" in unitymail.refused("list", "add", "b")


def test_the_list_of_undeliverable_messages_stays(unitymail, robin):
    """It gets members and another display name; it cannot be deleted or renamed."""
    assert unitymail.json("list", "set", OURS, "--member", "robin", "--display-name", "Lost")["member"] == ["robin"]
    assert "cannot be deleted" in unitymail.refused("list", "delete", OURS)
    assert "reports look for it" in unitymail.refused("list", "set", OURS, "--alias", "lost")


@pytest.mark.parametrize("verb", ["add", "remove"])
def test_members_must_be_named(unitymail, verb):
    """No member is wrong usage."""
    unitymail.do("list", "add", "sales")
    assert unitymail.run("list", "member", verb, "sales").exit_code == 2
