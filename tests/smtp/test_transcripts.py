"""The transcripts in `transcripts/`, one file a family, and that they leave nothing out.

A row is `promise: (stage, *steps)`; see `transcript`. Whoever adds a verb, a parameter or a reply adds a row: the tests
at the end name what no row has.
"""

import ast
import pkgutil
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import unitymail.policy
import unitymail.routing
import unitymail.smtp
from tests.smtp.transcript import play
from tests.source import tree_of
from unitymail.interfaces import errors
from unitymail.mail.reply import Reply
from unitymail.policy.verdict import Reject
from unitymail.smtp.extensions import EXTENSIONS
from unitymail.smtp.verbs import VERBS

ROOMS = (unitymail.smtp, unitymail.policy, unitymail.routing)
FAMILIES = sorted(path.stem for path in (Path(__file__).parent / "transcripts").glob("*.py"))
ROWS = {
    f"{family}: {promise}": row
    for family in FAMILIES
    for promise, row in import_module(f"tests.smtp.transcripts.{family}").TRANSCRIPTS.items()
}


@pytest.mark.parametrize("promise", ROWS)
def test_transcript(promise):
    """What is written down is what happens."""
    play(*ROWS[promise])


@cache
def heard():
    return "".join(play(*row) for row in ROWS.values())


@cache
def said():
    """What clients say in all rows, in capitals, a line each."""
    steps = (step for row in ROWS.values() for step in row[1:] if isinstance(step, str))
    lines = (line.strip() for step in steps for line in step.split("\n"))
    return [line[3:].upper() for line in lines if line.startswith(("C: ", "R: "))]


def replies():
    """Every reply that a door may give and that has a name: where it stands, and its octets."""
    modules = [errors]
    for package in ROOMS:
        found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        modules += [import_module(module.name) for module in found]
    for module in modules:
        for name, value in vars(module).items():
            for each in value.values() if isinstance(value, dict) else (value,):
                reply = each.reply if isinstance(each, Reject) else each
                if isinstance(reply, Reply):
                    yield f"{module.__name__}.{name}: {reply.code} {reply.enhanced} {reply.text}", reply


def test_every_reply_is_heard():
    """No refusal is without a client that meets it."""
    missing = {where for where, reply in replies() if reply.octets().decode().removesuffix("\r\n") not in heard()}
    assert not missing


def phrased():
    """Every reply that is put together in the code of the doors: where that is, and what it looks like."""
    for package in ROOMS:
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            for call in ast.walk(tree_of(path)):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("Reply", "reject"):
                    yield f"{path.name}:{call.lineno}", "".join(map(_pattern, call.args))


def _pattern(written):
    if isinstance(written, ast.Constant) and written.value is not None:
        spaces = "[ -]" if isinstance(written.value, int) else " ?"
        return re.escape(str(written.value)).replace("\\\n", r"\r\n.*") + spaces
    return "".join(map(_pattern, written.values)) if isinstance(written, ast.JoinedStr) else ".*"


def test_every_phrase_is_heard():
    """Those too that have numbers and addresses in them, each with its code and its words."""
    missing = [where for where, pattern in phrased() if not re.search(f"(?m)^{pattern}", heard())]
    assert not missing


def test_every_verb_is_said():
    """Also with what it refuses."""
    verbs = {line.partition(" ")[0] for line in said()}
    assert VERBS.keys() - verbs == set()


@pytest.mark.parametrize(("verb", "keywords"), [
    ("MAIL", {keyword for extension in EXTENSIONS for keyword in extension.mail}),
    ("RCPT", {keyword for extension in EXTENSIONS for keyword in extension.rcpt}),
])  # fmt: skip
def test_every_parameter_is_said(verb, keywords):
    """And those that nobody knows are refused, as another row says."""
    words = {word.partition("=")[0] for line in said() if line.startswith(verb) for word in line.split()}
    assert keywords - words == set()


def test_every_extension_is_offered():
    """EHLO shows each of them to somebody."""
    shown = {line[4:].split(" ")[0] for line in heard().split("\r\n") if line.startswith("250")}
    wanted = {
        "PIPELINING", "SIZE", "8BITMIME", "CHUNKING", "BINARYMIME", "SMTPUTF8", "DSN", "DELIVERBY", "FUTURERELEASE",
        "MT-PRIORITY", "ENHANCEDSTATUSCODES", "LIMITS", "STARTTLS", "REQUIRETLS", "AUTH", "XUNITYMAIL",
    }  # fmt: skip
    assert len(wanted) == len(EXTENSIONS) and wanted - shown == set()
