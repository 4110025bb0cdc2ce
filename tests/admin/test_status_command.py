"""`unitymail status`, on a node that was just made and does not run."""

import json

import pytest
from click.testing import CliRunner

from unitymail import founding
from unitymail.admin.cli.main import command_line
from unitymail.ctl import NodeDesk


@pytest.fixture
def ask(tmp_path):
    """What a command prints with --json, by the desk of the real command."""
    folder = str(tmp_path / "node")
    founding.found(founding.Plan(folder, "example.com", "vm1.example.com", False, "1", {}))
    group = command_line(NodeDesk)

    def asked(*words):
        done = CliRunner().invoke(group, ["-c", f"{folder}/{founding.SETTINGS}", "--json", *words])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return asked


def test_the_peers_are_named(ask):
    """Each with the door that mail for it goes to; a VPIM location is none."""
    assert ask("status")["peers"] == []
    ask("location", "add", "London", "--domain", "london.example.org", "--host", "10.2.0.5")
    ask("peer", "add", "nodeb", "--host", "vm2.example.com", "--port", "2525", "--domain", "vm2.example.com",
        "--fingerprint", "ab" * 32)  # fmt: skip
    assert ask("status")["peers"] == [{"name": "nodeb", "host": "vm2.example.com", "port": 2525}]
