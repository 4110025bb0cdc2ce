"""Regular expressions that take for ever: CVE-2021-40110 (James), CVE-2025-59045 (Stalwart, expansion).

Every pattern of the tree is given inputs made from its own grammar, then three times as long. What a linear pattern
takes grows threefold, what a quadratic one takes ninefold; the clock is that of this thread's own work, the best of
several, so that a busy machine makes no difference. Patterns that only ever see short input are named with its length.
"""

import ast
import re
from time import thread_time

import pytest

from tests.hardness.patterns import HOUSE, Used, every, inputs, is_repeating, uses
from tests.source import tree_of

SIZE = 12_000
NOTICEABLE_S, SURE_S = 0.004, 0.1
BOUNDED = {
    "store.names._RUN": 255,
}
"""Octets of what these ever see. A directory's name is the file system's."""


def seconds(used, text):
    """The best of three; what is fast once is fast, and what takes long is not measured twice."""
    best = 60.0
    for _ in range(3):
        begun = thread_time()
        used.run(text)
        best = min(best, thread_time() - begun)
        if best < NOTICEABLE_S or best > SURE_S:
            break
    return best


def slow_input(used):
    """The input that this pattern is slow for, with what it took; None for a pattern that is not."""
    limit = BOUNDED.get(used.where, 0)
    for length in (16, 20, 24, 100, 300):
        for about, text in inputs(used.pattern, length):
            taken = seconds(used, text)
            if taken > 2 * NOTICEABLE_S:
                return about, length, taken
    if limit:
        return None
    long = dict(inputs(used.pattern, 3 * SIZE))
    for about, text in inputs(used.pattern, SIZE):
        one = seconds(used, text)
        if one > NOTICEABLE_S and seconds(used, long[about]) > 6 * one:
            return about, SIZE, one
    return None


REPEATING = [used for used in every() if is_repeating(used.pattern)]


@pytest.mark.parametrize("used", REPEATING, ids=lambda used: f"{used.where}-{used.method}")
def test_time_grows_with_the_input(used):
    """No input of this pattern's own kind takes it more than its share of time."""
    assert slow_input(used) is None, used.pattern.pattern


@pytest.mark.parametrize(("pattern", "method"), [
    (r"(a+)+b", "match"), (r"(?:a|a)*b", "fullmatch"), (r"[^,]*.*,p=", "fullmatch"), (r"\s*x",
    "search"), (rb"(.*)=(.*);", "match"),
    (r"&([^-]*)-", "sub"),
])
def test_a_slow_pattern_is_found(pattern, method):
    """What this file promises of the tree it would see: exponential patterns, and quadratic ones too."""
    assert slow_input(Used(re.compile(pattern), method, "here")) is not None


def test_every_pattern_is_tried():
    """No module makes one that is not found, unless it is made from a setting or a host name, each of them escaped."""
    found = {used.where.rpartition(".")[0] for used in uses()}
    made_later = {"imap.kept", "imap.wire.assembly", "mail.headers", "mail.secrecy", "routing.categorise"}
    missing = []
    for path in sorted(HOUSE.rglob("*.py")):
        module = ".".join(path.relative_to(HOUSE).with_suffix("").parts)
        for node in ast.walk(tree_of(path)):
            made = isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
            if made and module not in found | made_later:
                missing.append(f"{module}:{node.lineno}")
    assert missing == []


def test_what_is_put_into_a_pattern_is_escaped():
    """Words of others never become a pattern: each that is put into one goes through re.escape, or is our own."""
    ours = {"digit", "_TOKEN", "domain"}
    for path in sorted(HOUSE.rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args):
                continue
            names = [ast.unparse(part.value) for part in ast.walk(node.args[0]) if isinstance(part, ast.FormattedValue)]
            for name in names:
                is_ours = name in ours or name.isupper() or name.startswith(("_", "re.escape("))
                assert is_ours, f"{path}:{node.lineno}: {name}"
