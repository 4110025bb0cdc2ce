"""Every regular expression of the tree, how it is used, and the inputs that would make it slow.

The inputs come from the pattern's own grammar: what brings a match to each repetition, then the repeated piece over and
over, then something that cannot follow. Knows `re`'s parser; refuses to know what the patterns are for.
"""

import re
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path
from pkgutil import walk_packages
from re import _constants as kinds
from re import _parser as parser

import unitymail

HOUSE = Path(unitymail.__file__).parent
METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")
MOST_CHARACTERS = 9
_IN_FUNCTIONS = re.compile(r'(?<![\w.])re\.(\w+)\(\s*(r?b?"(?:[^"\\\n]|\\.)*"|r?b?\'(?:[^\'\\\n]|\\.)*\')')
_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT)
_OF_CATEGORY = {kinds.CATEGORY_DIGIT: "0", kinds.CATEGORY_SPACE: " ", kinds.CATEGORY_NOT_WORD: " "}


@dataclass(frozen=True)
class Used:
    """A pattern, the method that it is used with, and where it stands."""

    pattern: re.Pattern
    method: str
    where: str

    def run(self, text):
        if self.method in ("sub", "subn"):
            self.pattern.sub(text[:0], text)
        elif self.method == "finditer":
            for _ in self.pattern.finditer(text):
                pass
        else:
            getattr(self.pattern, self.method)(text)


def modules():
    """All of unitymail's, imported; the migrations are alembic's to run."""
    for found in walk_packages(unitymail.__path__, "unitymail."):
        if ".migrations" not in found.name:
            yield import_module(found.name)


def every():
    """Each pattern that a module holds, or writes where it uses it, once for each way it is used."""
    found = {}
    for used in uses():
        found.setdefault((used.pattern.pattern, used.pattern.flags, used.method), used)
    return list(found.values())


def uses():
    """The same pattern again for each module that has it."""
    for module in modules():
        text = Path(module.__file__).read_text()
        for name, value in vars(module).items():
            bound = getattr(value, "__self__", None)
            if isinstance(value, re.Pattern):
                methods = _methods(name, text)
            elif isinstance(bound, re.Pattern):
                value, methods = bound, {value.__name__}
            else:
                continue
            for method in sorted(methods):
                yield Used(value, method, f"{module.__name__.removeprefix('unitymail.')}.{name}")
        for method, literal in _IN_FUNCTIONS.findall(text):
            if method in METHODS:
                pattern = re.compile(eval(literal))  # a literal of our own sources
                where = f"{module.__name__.removeprefix('unitymail.')}: {literal}"
                yield Used(pattern, method, where)


def _methods(name, text):
    """How a pattern of this name is used: by its methods here, or handed on to be looked for."""
    if not name.startswith("_"):
        text = "\n".join(path.read_text() for path in HOUSE.rglob("*.py"))
    found = set(re.findall(rf"\b{name}\.(\w+)\(", text)) & set(METHODS)
    handed_on = re.search(rf"[\w.]+\([^()\n]*\b{name}\b(?!\.)", text)
    return found | {"search"} if handed_on or not found else found


def is_repeating(pattern):
    """Whether any piece may come any number of times: only then can it be slow."""
    return bool(_taken_apart(pattern)[1])


def inputs(pattern, size):
    """Texts of about `size` that keep each repetition busy and then disappoint it."""
    whole, pumps = _taken_apart(pattern)
    characters = list(dict.fromkeys("".join(unit for _, unit in pumps) + whole))[:MOST_CHARACTERS]
    wanted = {(before, unit or "a", after) for before, unit in pumps for after in ("", "\0", "!")}
    wanted |= {("", one, after) for one in characters for after in ("", "\0")}
    for pair in map("".join, product(characters, repeat=2)):
        wanted |= {("", pair, ""), (pumps[0][0], pair, "\0")}
    for before, unit, after in sorted(wanted):
        text = before + unit * (size // len(unit)) + after
        yield (before, unit, after), text.encode("latin-1", "ignore") if isinstance(pattern.pattern, bytes) else text


def _taken_apart(pattern):
    """(a text that matches, nearly; what stands before each repetition, and a piece of it)."""
    flags = pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags
    pumps = []

    def text_of(tree, before):
        text = ""
        for kind, value in tree:
            if kind is kinds.LITERAL:
                text += chr(value)
            elif kind is kinds.NOT_LITERAL:
                text += "b" if value == ord("a") else "a"
            elif kind is kinds.ANY:
                text += "a"
            elif kind is kinds.IN:
                text += _one_of(value)
            elif kind in _REPEATS:
                least, most, inside = value
                unit = text_of(inside, before + text)
                if most is kinds.MAXREPEAT or most > 100:
                    pumps.append((before + text, unit))
                text += unit * least
            elif kind is kinds.SUBPATTERN:
                text += text_of(value[3], before + text)
            elif kind is kinds.ATOMIC_GROUP:
                text += text_of(value, before + text)
            elif kind is kinds.BRANCH:
                branches = [text_of(branch, before + text) for branch in value[1]]
                text += branches[0]
        return text

    return text_of(parser.parse(pattern.pattern, flags), ""), pumps


def _one_of(items):
    if items[0][0] is kinds.NEGATE:
        return next((c for c in "a0. -@Z\x01\xe9" if not any(_holds(item, ord(c)) for item in items[1:])), "a")
    kind, value = items[0]
    if kind is kinds.CATEGORY:
        return _OF_CATEGORY.get(value, "a")
    return chr(value[0] if kind is kinds.RANGE else value)


def _holds(item, code):
    kind, value = item
    if kind is kinds.LITERAL:
        return value == code
    if kind is kinds.RANGE:
        return value[0] <= code <= value[1]
    return value is kinds.CATEGORY_SPACE and chr(code).isspace()


