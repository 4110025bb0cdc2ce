"""A command line on a fresh directory."""

import pytest

from tests.admin.small_desk import CommandLine
from unitymail.people.location import Location, LocationKind

PASSWORD = "tulips at noon\n"


@pytest.fixture
def unitymail(tmp_path):
    line = CommandLine(str(tmp_path / "directory.sqlite"))
    yield line
    line.desk.close()


@pytest.fixture
def robin(unitymail):
    """A user to work with."""
    return unitymail.json(
        "user", "add", "robin", "--first-name", "Robin", "--last-name", "Smith", "--extension", "1041",
        "--proxy", "robin.smith@example.com", "--password-stdin", input=PASSWORD,
    )  # fmt: skip


@pytest.fixture
def chris(unitymail):
    """A second user."""
    return unitymail.json("user", "add", "chris", "--extension", "1042", "--password-stdin", input=PASSWORD)


@pytest.fixture
def tokyo(unitymail):
    """A voice-mail system elsewhere, reached through the smart host."""
    unitymail.do("site", "set", "smart_host.host=smart.example.net")
    return unitymail.json(
        "location", "add", "Tokyo", "--domain", "tokyo.example", "--dial-id", "881", "--remote-prefix", "8"
    )


@pytest.fixture
def vm2(unitymail):
    """A peer node, as its location."""
    peer = Location("", LocationKind.PEER, "vm2", "vm2.example.com", "10.0.0.2", 2525, fingerprint="ab" * 32)
    with unitymail.desk.directory.change("test") as change:
        return change.add(peer)
