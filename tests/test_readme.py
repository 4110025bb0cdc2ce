"""What is found by discovery stands in the README, so that discovery stays visible."""

import pathlib
import re

from unitymail.admin.cli.main import commands
from unitymail.courier.perform import performer_classes
from unitymail.imap.registry import discover
from unitymail.routing.actions import discover as actions

README = (pathlib.Path(__file__).parents[1] / "README.rst").read_text()


def listed(kind):
    """The names after `kind:` in the README's section on discovery."""
    section = README.split(".. discovered")[1].split(".. end")[0]
    return set(re.search(rf"{kind}: ([^.]*)\.", section)[1].replace("\n", " ").split(", "))


def test_message_actions():
    """Each file in routing/actions."""
    assert listed("Message actions") == {action.value for action in actions()}


def test_step_performers():
    """Each file in courier/perform."""
    assert listed("Step performers") == {kind.performs.__name__ for kind in performer_classes()}


def test_command_groups():
    """Each file in admin/cli."""
    assert listed("Command groups") == {command.name for command in commands()}


def test_imap_commands():
    """Each file in imap/commands."""
    assert listed("IMAP commands") == set(discover().commands)
