"""A command line on a fresh directory."""

import pytest

from tests.admin.small_desk import CommandLine

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
