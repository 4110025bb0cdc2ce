"""Command execution: CVE-2020-7247 and CVE-2020-8794 (OpenSMTPD), CVE-2019-10149 (Exim), CVE-2018-19518 (c-client).

Nothing that comes by mail, by a client or from the directory reaches a shell, another program's arguments, a template
language, or Python's own ways to run or unpickle what it is given. What may do such things is listed here, with what it
is given; whatever is added must be added here, too. FFmpeg, which can open files and addresses that a playlist names,
is told by name what to read and may open nothing.
"""

import ast
import io
import wave
from pathlib import Path

import pytest

import unitymail
from tests.source import tree_of
from unitymail.codec.bounds import Effort
from unitymail.codec.decoding import samples
from unitymail.codec.forms import FORMS
from unitymail.interfaces.codec import CannotDecode, Sound

HOUSE = Path(unitymail.__file__).parent
DANGEROUS_MODULES = {
    "pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle", "code", "codeop", "runpy", "pty", "commands", "popen2",
    "jinja2", "mako", "xml", "lxml", "xmlrpc", "webbrowser", "multiprocessing", "tarfile",
    "zipfile",
}
MAY_RUN = {
    "subprocess": {"spool/remover.py"},
    "spawnProcess": {"workers/process.py"},
    "ctypes": {"codec/bounds.py", "disk.py", "spool/reading.py"},
}
"""The removal of files beside the node: Python, our own script and the spool's folder. Workers: our own program. The C
library by number, and FFmpeg's limit of memory."""
RUNS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
RUNS_OF_OS = {
    "system", "popen", "startfile", "execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe",
    "spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe", "posix_spawn",
    "posix_spawnp",
    "fork", "forkpty",
}


def sources():
    for path in sorted(HOUSE.rglob("*.py")):
        yield str(path.relative_to(HOUSE)), tree_of(path)


def calls():
    for place, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield place, node, ast.unparse(node.func)


def test_no_module_that_runs_what_it_is_given():
    """No pickles, no templates, no markup with entities, no archives: none is even imported."""
    found = set()
    for place, tree in sources():
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(place, name) for name in names if name.split(".")[0] in DANGEROUS_MODULES}
            for name in names:
                top = name.split(".")[0]
                assert top not in MAY_RUN or place in MAY_RUN[top], f"{place} imports {name}"
    assert found == set()


def test_nothing_is_evaluated():
    """Neither eval nor exec, nor a program by way of os."""
    for place, node, name in calls():
        assert name not in RUNS, f"{place}:{node.lineno}: {name}"
        assert not (name.startswith("os.") and name.removeprefix("os.") in RUNS_OF_OS), f"{place}:{node.lineno}: {name}"
        assert not any(keyword.arg == "shell" for keyword in node.keywords), f"{place}:{node.lineno}: a shell"


def test_programs_are_begun_in_two_places():
    """Each with a list of words of our own, and never found by a search of PATH."""
    began = {(place, name) for place, _, name in calls() if name.split(".")[-1] in (
        "Popen", "run", "call", "check_call", "check_output", "spawnProcess", "getProcessOutput") and (
        name.startswith("subprocess.") or "spawnProcess" in name or "getProcess" in name)}
    assert began == {("spool/remover.py", "subprocess.Popen"), ("workers/process.py", "reactor.spawnProcess")}
    remover = (HOUSE / "spool/remover.py").read_text()
    assert 'program = [sys.executable, "-I", "-S", removing.__file__, folder]' in remover


def test_modules_are_looked_for_in_our_own_packages_only():
    """What is found by discovery is what lies beside the package that looks; no name of a module comes from outside."""
    for place, node, name in calls():
        if name.split(".")[-1] != "import_module":
            continue
        argument = node.args[0]
        text = ast.unparse(argument)
        constant = isinstance(argument, ast.Constant) and argument.value.startswith("unitymail.")
        beside = text.startswith(("f'{__name__}.{", "f'{cli.__name__}.{", "f'unitymail.")) or text in (
            "_module.name", "module.name", "found.name")
        assert constant or beside, f"{place}:{node.lineno}: {text}"


def test_words_for_a_shell_are_quoted():
    """`peer key` prints a line to type on another node: each word of it is quoted, and nothing runs it here."""
    used = {(place, name) for place, _, name in calls() if name.startswith("shlex.")}
    assert used <= {("admin/operations/peers.py", "shlex.join"), ("admin/operations/peers.py", "shlex.quote")}


TEMPLATES = {"admin/operations/story_words.py": "template"}
"""A table of sentences in that file."""


def test_formats_are_our_own():
    """str.format and % only ever see formats that stand in the source: one of others could read what it should not."""
    for place, node, _ in calls():
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "format_map"):
            ours = ast.unparse(node.func.value) == TEMPLATES.get(place)
            assert ours or isinstance(node.func.value, ast.Constant), f"{place}:{node.lineno}: {ast.unparse(node)}"


PLAYLISTS = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://%s\n#EXT-X-ENDLIST\n", b"ffconcat version 1.0\nfile '%s'\n",
    b"[Reference]\nRef1=file://%s\n", b"#EXTM3U\nconcat:%s|%s\n",
    b'<?xml version="1.0"?><MPD><BaseURL>file://%s</BaseURL></MPD>',
    b"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n%s",
)


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("playlist", PLAYLISTS)
def test_playlists_open_nothing(form, playlist, tmp_path):
    """An attachment that names files is taken for the audio that it says it is: nothing of the file comes out."""
    secret = tmp_path / "secret.wav"
    with wave.open(str(secret), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(b"\x22\x11" * 2048)
    octets = playlist.replace(b"%s", str(secret).encode())
    before = set(Path("/proc/self/fd").iterdir())
    try:
        heard = b"".join(samples(Sound(io.BytesIO(octets), form), Effort(10.0)))
    except CannotDecode:
        heard = b""
    assert b"\x22\x11" * 64 not in heard
    assert len(list(Path("/proc/self/fd").iterdir())) <= len(before) + 1
