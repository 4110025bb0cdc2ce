"""How an event becomes a line, of text or of JSON. Lets no peer's words break a line, nor make it endless."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

Fields = dict[str, Any]
LONGEST_VALUE = 500
_plain = re.compile(r'[!#-<>-\[\]-~]{1,500}').fullmatch
"""Printable ASCII without space, quote, equals sign and backslash: most values."""


def clean(value: object) -> str:
    """A value for a text line: control characters escaped, quoted when it holds a space, cut at 500 characters."""
    text = value if type(value) is str else str(value)
    return text if _plain(text) else _cleaned(text[: LONGEST_VALUE + 1])


@lru_cache(maxsize=256)
def _cleaned(text: str) -> str:
    text = _cut(text)
    if text.isprintable() and text and not any(c in ' "=\\' for c in text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def stamp(when: float) -> str:
    """Unix seconds as `2026-11-25T13:07:00.000Z`."""
    second = int(when)
    return f"{_to_the_second(second)}.{int((when - second) * 1000):03}Z"


def moment(when: float) -> str:
    """Unix seconds as `2026-11-25T13:07:00Z`."""
    return f"{_to_the_second(int(when))}Z"


@lru_cache(maxsize=4)
def _to_the_second(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def as_text(when: float, level: str, event: str, fields: Fields) -> str:
    line = f"{stamp(when)} {level} {event}"
    for name, value in fields.items():
        if value != "" and value is not None:
            text = value if type(value) is str else str(value)
            line += f" {name}={text if _plain(text) else _cleaned(text[: LONGEST_VALUE + 1])}"
    return line + "\n"


def as_json(when: float, level: str, event: str, fields: Fields) -> str:
    told = {name: _cut(value) if isinstance(value, str) else value for name, value in fields.items()}
    return json.dumps({"time": stamp(when), "level": level, "event": event, **told}, default=str) + "\n"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
