"""Which names LIST shows: the hierarchies and answers of RFC 5258, section 5."""

from hypothesis import given
from hypothesis import strategies as st

from unitymail.imap.listing import Listed, Manner, Wanted, chosen, line, parents_of
from unitymail.imap.wire.pattern import Pattern
from unitymail.interfaces.store import FolderInfo

FRUIT = ("INBOX", "Fruit", "Fruit/Apple", "Fruit/Banana", "Tofu", "Vegetable", "Vegetable/Broccoli", "Vegetable/Corn")
FRUIT_SUBSCRIBED = ("INBOX", "Fruit/Banana", "Fruit/Peach", "Vegetable", "Vegetable/Broccoli")
FOO2 = ("INBOX", "foo2", "foo2/bar1", "foo2/bar2", "baz2", "baz2/bar2", "baz2/bar22", "baz2/bar222", "eps2",
        "eps2/mamba", "qux2/bar2")
FOO2_SUBSCRIBED = ("foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "baz2/bar222", "eps2", "eps2/mamba",
                   "qux2/bar2")


def folders(existing, subscribed=()):
    """As an account lists them: with the parents that are only names."""
    every = set(existing) | {parent for name in existing for parent in parents_of(name)}
    return [
        FolderInfo(name, "", name in subscribed, name in existing, any(n.startswith(name + "/") for n in every), "F1")
        for name in sorted(every)
    ]


def listed(existing, subscriptions, *patterns, **selections):
    """{name: attributes and extended items}, of a client that asked for \\Subscribed and children."""
    wanted = Wanted([Pattern(pattern.encode()) for pattern in patterns], **selections)
    manner = Manner(extended=True, subscribed=True)
    answer = {}
    for one in chosen(folders(existing, subscriptions), subscriptions, wanted):
        text = line(one, manner).decode()
        attributes, _, rest = text.removeprefix("* LIST (").partition(") ")
        answer[one.info.name] = (set(attributes.split()), rest.partition(" (")[2].strip())
    return answer


def shown(found):
    return {name: (attributes - {"\\HasChildren", "\\HasNoChildren"}, items) for name, (attributes, items) in
            found.items()}


CHILDINFO = '"CHILDINFO" ("SUBSCRIBED"))'


def test_subscribed_names():
    """Example 2: subscribed names, also one that does not exist, and nothing else."""
    assert shown(listed(FRUIT, FRUIT_SUBSCRIBED, "*", subscribed=True)) == {
        "INBOX": ({"\\Subscribed"}, ""),
        "Fruit/Banana": ({"\\Subscribed"}, ""),
        "Fruit/Peach": ({"\\Subscribed", "\\NonExistent"}, ""),
        "Vegetable": ({"\\Subscribed"}, ""),
        "Vegetable/Broccoli": ({"\\Subscribed"}, ""),
    }


def test_children():
    """Example 3: which top-level mailboxes have others below them."""
    found = listed(FRUIT, (), "%")
    assert {name: attributes for name, (attributes, _) in found.items()} == {
        "INBOX": {"\\HasNoChildren"}, "Fruit": {"\\HasChildren"}, "Tofu": {"\\HasNoChildren"},
        "Vegetable": {"\\HasChildren"},
    }


def test_return_subscribed():
    """Example 6: all that exists, and whether it is subscribed; what does not exist is not listed."""
    found = shown(listed(FRUIT, FRUIT_SUBSCRIBED, "*"))
    assert set(found) == set(FRUIT)
    assert {name for name, (attributes, _) in found.items() if attributes} == {
        "INBOX", "Fruit/Banana", "Vegetable", "Vegetable/Broccoli",
    }


def test_several_patterns():
    """Example 7: a mailbox that two patterns cover is listed once."""
    existing = ("INBOX", "Drafts", "Sent", "Sent/March2004", "Sent/August2004", "Other")
    assert list(listed(existing, (), "INBOX", "Drafts", "Sent/%", "Sent/M*")) == [
        "INBOX", "Drafts", "Sent/August2004", "Sent/March2004",
    ]


def test_a_parent_stands_for_its_child():
    """Example 8 A: what is above a subscribed mailbox is shown with CHILDINFO, subscribed itself or not."""
    existing = ("INBOX", "Foo", "Foo/Bar", "Foo/Baz", "Moo")
    recursive = {"subscribed": True, "recursive": True}
    assert listed(existing, ("Foo/Baz",), "%", subscribed=True) == {}
    assert listed(existing, ("Foo/Baz",), "%", **recursive) == {"Foo": ({"\\HasChildren"}, CHILDINFO)}
    assert listed(existing, ("Foo", "Foo/Baz"), "%", **recursive) == {
        "Foo": ({"\\Subscribed", "\\HasChildren"}, CHILDINFO)
    }


def test_a_parent_that_does_not_exist():
    """Example 8 A2: it is shown as \\NonExistent."""
    recursive = {"subscribed": True, "recursive": True}
    found = shown(listed(("INBOX", "Foo/Baz", "Moo"), ("Foo/Baz",), "%", **recursive))
    assert found == {"Foo": ({"\\NonExistent"}, CHILDINFO)}
    assert shown(listed(("INBOX",), ("Foo/Baz/x",), "%", **recursive)) == {"Foo": ({"\\NonExistent"}, CHILDINFO)}


def test_nothing_below_is_subscribed():
    """Example 8 B and C: no CHILDINFO for children that are not subscribed."""
    existing = ("INBOX", "Foo", "Foo/Bar", "Foo/Baz", "Moo")
    recursive = {"subscribed": True, "recursive": True}
    assert listed(existing, (), "%", **recursive) == {}
    assert listed(existing, ("Foo", "Moo"), "%", **recursive) == {
        "Foo": ({"\\Subscribed", "\\HasChildren"}, ""), "Moo": ({"\\Subscribed", "\\HasNoChildren"}, ""),
    }


def test_childinfo_whether_or_not_the_child_is_covered():
    """Example 9: a parent that would only repeat what its shown children say is left out."""
    assert shown(listed(FOO2, FOO2_SUBSCRIBED, "*2", subscribed=True, recursive=True)) == {
        "foo2": (set(), CHILDINFO),
        "foo2/bar2": ({"\\Subscribed"}, ""),
        "baz2/bar2": ({"\\Subscribed"}, ""),
        "baz2/bar22": ({"\\Subscribed"}, ""),
        "baz2/bar222": ({"\\Subscribed"}, ""),
        "eps2": ({"\\Subscribed"}, CHILDINFO),
        "qux2/bar2": ({"\\Subscribed"}, ""),
    }


def test_childinfo_without_children():
    """Example 10: what is below may be subscribed and not exist."""
    existing = ("INBOX", "foo")
    assert list(listed(existing, ("foo/bar",), "foo", "foo/*")) == ["foo"]
    assert shown(listed(existing, ("foo/bar",), "foo/*", subscribed=True)) == {
        "foo/bar": ({"\\Subscribed", "\\NonExistent"}, "")
    }
    assert listed(existing, ("foo/bar",), "foo", subscribed=True, recursive=True) == {
        "foo": ({"\\HasNoChildren"}, CHILDINFO)
    }


def test_missing_levels():
    """Example 11: a name that is only the parent of others is \\NonExistent \\HasChildren."""
    assert listed(("music/rock",), (), "%") == {"music": ({"\\NonExistent", "\\HasChildren"}, "")}


def test_special():
    """Only those with a use; together with SUBSCRIBED only those that are both."""
    known = [FolderInfo("A", "\\Sent"), FolderInfo("B"), FolderInfo("C", "\\Junk", subscribed=False)]
    every = [Pattern(b"*")]
    assert [one.info.name for one in chosen(known, (), Wanted(every, special=True))] == ["A", "C"]
    assert [one.info.name for one in chosen(known, ("A", "B"), Wanted(every, special=True, subscribed=True))] == ["A"]


def test_lines():
    """Plain clients hear \\Noselect; names are spelled as the client can read them."""
    name_only = Listed(FolderInfo("é", selectable=False, has_children=True))
    assert line(name_only, Manner()) == b'* LIST (\\Noselect \\HasChildren) "/" &AOk-\r\n'
    assert line(name_only, Manner(extended=True, utf8=True)) == (
        '* LIST (\\NonExistent \\HasChildren) "/" "é"\r\n'.encode()
    )
    assert line(Listed(FolderInfo("New")), Manner(extended=True), old_name="Old one") == (
        b'* LIST (\\HasNoChildren) "/" New ("OLDNAME" ("Old one"))\r\n'
    )


def allowed(existing, subscribed, pattern):
    """RFC 5258, 3.5's table, one name after the other."""
    every = {*existing, *subscribed} | {p for name in (*existing, *subscribed) for p in parents_of(name)}
    covers = Pattern(pattern.encode()).matches
    shown = {}
    for name in every:
        if not covers(name.encode()):
            continue
        below = [other for other in subscribed if other.startswith(name + "/")]
        hidden = [other for other in below if not covers(other.encode())]
        if name in subscribed or hidden:
            shown[name] = bool(below)
    return shown


NAMES = st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join), max_size=6)


@given(NAMES, NAMES, st.text("ab/*%", min_size=1, max_size=5))
def test_recursive_match_as_the_table_has_it(existing, subscribed, pattern):
    """For any hierarchy, pattern and subscriptions: who is shown, and with CHILDINFO or without."""
    wanted = Wanted([Pattern(pattern.encode())], subscribed=True, recursive=True)
    found = chosen(folders(existing, subscribed), subscribed, wanted)
    assert {one.info.name: one.childinfo for one in found} == allowed(existing, set(subscribed), pattern)
