"""What is found by discovery stands in the README, so that discovery stays visible."""

import pathlib
import re

import unitymail
from unitymail.admin.cli.main import commands
from unitymail.courier.perform import performer_classes
from unitymail.imap.registry import discover
from unitymail.routing.actions import discover as actions

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.rst").read_text()


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


def test_the_places_it_names_are_there():
    """A newcomer who follows the README finds each file and folder of ours that it mentions."""
    ours = "unitymail|tests|benchmarks|etc|smtp|imap|policy|spool|mail|routing|courier"
    words = re.findall(rf"``((?:{ours})/[\w./]*)", README)
    assert len(words) > 25
    for word in words:
        inside = [root / (word + ending) for root in (ROOT, ROOT / "unitymail") for ending in ("", ".py")]
        assert any(place.exists() for place in inside), word


def test_the_map_names_every_room():
    """The docstring of unitymail/__init__.py is the map that test_floors checks imports by."""
    drawn = set(re.findall(r"[a-z_]+", unitymail.__doc__.split("::", 1)[1].split("A message's way in")[0]))
    rooms = {path.stem for path in (ROOT / "unitymail").iterdir() if path.suffix in ("", ".py")} - {"__init__"}
    assert rooms - {"__pycache__"} <= drawn
