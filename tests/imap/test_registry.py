"""Commands and capabilities are found by looking, and cannot be there twice."""

from types import SimpleNamespace

import pytest

from unitymail.imap.registry import ANYWHERE, SELECTED, Capability, Done, Registry, command, discover


@command("FIRST", states=SELECTED, uid=True, uploads_after=1)
async def first(session, reader, *, by_uid):
    return Done("FIRST completed")


@command("FIRST")
async def second(session, reader):
    return Done("FIRST completed")


def test_what_is_found():
    """The verbs of this door, each in the state where it makes sense."""
    found = discover()
    expected = (
        "APPEND AUTHENTICATE CAPABILITY CHECK CLOSE COPY CREATE DELETE ENABLE EXAMINE EXPUNGE FETCH ID IDLE LIST LOGIN"
        " LOGOUT LSUB MOVE NAMESPACE NOOP RENAME SEARCH SELECT STARTTLS STATUS STORE SUBSCRIBE UNSELECT UNSUBSCRIBE"
    )
    assert set(expected.split()) <= set(found.commands)
    assert found.commands["NOOP"].states == ANYWHERE
    assert found.uploads["APPEND"] == 1
    assert [found.commands[name].holds_expunges for name in ("FETCH", "STORE", "SEARCH")] == [True] * 3


def test_one_command_once():
    """Two modules cannot implement one command."""
    with pytest.raises(ValueError, match="FIRST"):
        Registry([SimpleNamespace(first=first), SimpleNamespace(second=second)])
    both = Registry([SimpleNamespace(first=first), SimpleNamespace(again=first)])
    assert both.uploads == {"FIRST": 1}


def test_contributions():
    """Dictionaries of several modules are one."""
    made = Registry([SimpleNamespace(ENABLES={"A": None}), SimpleNamespace(ENABLES={"B": None}), SimpleNamespace()])
    assert made.gathered("ENABLES") == {"A": None, "B": None}
    assert made.gathered("NOTHING") == {}


def test_capabilities():
    """Words are offered when they apply, and not to those they are hidden from."""
    made = Registry([
        SimpleNamespace(CAPABILITIES=("ZED", "IMAP4rev1", Capability("SOMETIMES", lambda session: session.sometimes))),
        SimpleNamespace(CAPABILITIES=("ALPHA",)),
    ])
    session = SimpleNamespace(sometimes=True, hidden_capabilities=frozenset({"ZED"}))
    assert made.offered(session) == ["IMAP4rev1", "ALPHA", "SOMETIMES"]
    session = SimpleNamespace(sometimes=False, hidden_capabilities=frozenset())
    assert made.offered(session) == ["IMAP4rev1", "ALPHA", "ZED"]
