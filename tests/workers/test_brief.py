"""A worker knows its node as its parent does."""

import json
from dataclasses import replace

from unitymail.settings.node import TABLES, NodeSettings
from unitymail.workers import brief


def test_settings_travel_as_they_are():
    """Every table, defaults or not, lists too."""
    other = {}
    for name, table in TABLES.items():
        default = table()
        changed = {}
        for field in default.__dataclass_fields__:
            value = getattr(default, field)
            changed[field] = ("::1",) if isinstance(value, tuple) else value + 1 if isinstance(value, int) else "é"
        other[name] = replace(default, **changed)
    for settings in (NodeSettings("/node"), NodeSettings("/node", **other)):
        told = brief.Brief(settings, 1, brief.numbered(("smtp", "imap"), 2), (("c.pem", "c", "k"), ("é", "", "")))
        assert brief.read(json.loads(json.dumps(brief.written(told)))) == told


def test_every_socket_has_a_descriptor_of_its_own():
    """From the first that is free, without gaps, in the order of places and doors."""
    found = brief.numbered(("smtp", "imap"), 3)
    numbers = [number for place in found for number in place.values()]
    assert numbers == list(range(brief.FIRST_SOCKET, brief.FIRST_SOCKET + 6))
    assert list(found[1]) == ["smtp", "imap"]
