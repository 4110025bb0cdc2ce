"""`unitymail init`: what it refuses leaves the place as it was, and what it writes a node can start with."""

import os
import pathlib
import stat
from unittest import mock

import pytest

from unitymail import founding
from unitymail.founding import Plan, found
from unitymail.interfaces.directory import Refused
from unitymail.settings.node import read_node


def plan(folder, **given):
    return Plan(str(folder), **{"domain": "vm1.example.com", "host_name": "localhost", **given})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"domain": "x..y"}, "domain 'x..y'"),
        ({"host_name": "a b"}, "host_name"),
        ({"workers": "many"}, "workers: 'many'"),
        ({"listen": {"address": "not an address"}}, "no IP address"),
        ({"listen": {"address": "127.0.0.1\nsmtp = 1"}}, "control character"),
        ({"listen": {"smtp": 25, "imap": 25}}, "port 25 is also listen.smtp"),
    ],
)
def test_what_no_node_could_start_with_is_refused(tmp_path, given, words):
    """A slip in an option is said at once, not at the first start, and nothing is made."""
    with pytest.raises(Refused) as refused:
        found(plan(tmp_path / "node", **given))
    assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_is_refused_in_a_sentence(tmp_path):
    """A file in the way, or a folder that may not be written to, is no traceback."""
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "node", pathlib.Path("/proc/node")):
        with pytest.raises(Refused, match=f"{place} cannot hold a node: "):
            found(plan(place))


@pytest.mark.parametrize("there_before", [False, True])
def test_an_init_that_fails_leaves_the_place_as_it_was(tmp_path, there_before):
    """A full disk at the last file: nothing is left that the next try would stumble over."""
    folder = tmp_path / "node"
    if there_before:
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
    with mock.patch.object(founding, "_write", side_effect=OSError(28, "No space left on device")):
        with pytest.raises(Refused, match="No space left on device"):
            found(plan(folder, demo=True))
    if there_before:
        assert sorted(path.name for path in folder.iterdir()) == ["lock", "notes.txt"]
    else:
        assert not folder.exists()
    found(plan(folder))


def test_a_second_init_harms_nothing(tmp_path):
    """A folder that holds a node is refused and not touched."""
    found(plan(tmp_path / "node"))
    before = {path: path.read_bytes() for path in (tmp_path / "node").rglob("*") if path.is_file()}
    with pytest.raises(Refused, match="holds a node already"):
        found(plan(tmp_path / "node", domain="other.example.com"))
    assert {path: path.read_bytes() for path in (tmp_path / "node").rglob("*") if path.is_file()} == before


def test_what_is_made_is_for_the_owner_alone(tmp_path):
    """No other user of the machine reads mail, hashes or the key."""
    found(plan(tmp_path / "node", demo=True))
    for path in (tmp_path / "node", *(tmp_path / "node").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_settings_are_those_asked_for(tmp_path):
    """The file that init writes reads back, with every option in it."""
    found(plan(tmp_path / "node", workers="auto", listen={"address": "::1", "smtp": 2525, "web": 0}))
    settings = read_node((tmp_path / "node" / "unitymail.toml").read_text(), str(tmp_path / "node"), os.path.exists)
    assert (settings.node.workers, settings.listen.address, settings.listen.smtp) == ("auto", "::1", 2525)


def test_the_page_can_be_followed_on_ipv6(tmp_path):
    """What the demo prints to try at once has the address in the brackets that programs want."""
    found(plan(tmp_path / "node", demo=True, listen={"address": "::1", "submission": 2587, "imaps": 1993}))
    page = (tmp_path / "node" / "demo-users.txt").read_text()
    assert "--server [::1]:2587" in page and "imaps://[::1]:1993/" in page
