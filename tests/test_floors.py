"""The house's floors: an import goes down, never up, never sideways on floors 2 and 3."""

import ast
from pathlib import Path

import pytest

from tests.source import tree_of

HOUSE = Path(__file__).parent.parent / "unitymail"
FLOORS = {
    0: {"mail", "people"},
    1: {"interfaces", "settings", "policy", "routing"},
    2: {"directory", "spool", "store", "login", "doorbell", "journal", "disk", "threads", "eyes", "tls", "relay",
        "codec", "history", "ledger", "metrics", "proxy"},
    3: {"smtp", "imap", "courier", "admin"},
    4: {"node", "tap", "ctl", "turns", "founding", "sockets", "lock", "notice", "smart_host", "rooms", "doors",
        "closing", "departures", "ways_out", "running", "serving", "upkeep", "reception", "workers", "accepting",
        "certificates", "measuring", "standing", "free_space", "steady", "tending"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
SANS_IO = ["smtp/framing.py", "smtp/commands.py", "imap/wire", "proxy/header.py"]
FORBIDDEN_BELOW = {"twisted", "sqlite3", "sqlalchemy", "socket", "os", "time", "threading", "subprocess"}
MODULES = sorted(HOUSE.rglob("*.py"))


def imports_of(path):
    """(line, dotted name) of every import in the file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the floor"
            if node.module == "unitymail":
                for alias in node.names:
                    yield node.lineno, f"unitymail.{alias.name}"
            else:
                yield node.lineno, node.module


def room_of(path):
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(HOUSE)))
def test_imports_go_down(path):
    """No module imports from a floor above, nor from another room of floors 2 and 3."""
    room = room_of(path)
    if room == "__init__":
        return
    assert room in FLOOR_OF, f"{room} stands on no floor: add it to the map"
    for line, name in imports_of(path):
        if not name.startswith("unitymail."):
            continue
        other = name.split(".")[1]
        if other in (room, "__version__"):
            continue
        assert other in FLOOR_OF, f"{path}:{line}: {name} stands on no floor"
        here, there = FLOOR_OF[room], FLOOR_OF[other]
        assert there <= here, f"{path}:{line}: floor {here} imports {name} from floor {there}"
        assert there < here or here in (0, 1, 4), f"{path}:{line}: sideways import of {name} on floor {here}"
        assert not (here == 3 and there == 2), f"{path}:{line}: floor 3 meets floor 2 through interfaces, not {name}"


def pure_modules():
    return [
        path
        for path in MODULES
        if FLOOR_OF.get(room_of(path)) in (0, 1)
        or any(str(path.relative_to(HOUSE)).startswith(place) for place in SANS_IO)
    ]


@pytest.mark.parametrize("path", pure_modules(), ids=lambda p: str(p.relative_to(HOUSE)))
def test_pure_floors_touch_nothing(path):
    """Floors 0 and 1 and the protocol grammars import no Twisted, open no file and read no clock."""
    for line, name in imports_of(path):
        allowed = path == HOUSE / "interfaces/disk.py" and name == "sqlite3"
        assert name.split(".")[0] not in FORBIDDEN_BELOW or allowed, f"{path}:{line}: imports {name}"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "open", f"{path}:{node.lineno}: opens a file"


def test_every_module_says_why_it_exists():
    """Each module begins with a docstring."""
    silent = [
        str(path.relative_to(HOUSE))
        for path in MODULES
        if path.read_text().strip() and not ast.get_docstring(tree_of(path))
    ]
    assert silent == []
