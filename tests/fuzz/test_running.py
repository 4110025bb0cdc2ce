"""The fuzzing itself: a finding is told, kept and repeatable; without one the exit status is 0."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fuzz import running
from fuzz.octets import check_header, pieces, uncut
from fuzz.target import load

ROOT = Path(running.__file__).parent.parent
DONE = "#2\tINITED cov: 3 ft: 3 corp: 1/1b\n#900\tDONE   cov: 54 ft: 120 corp: 53/2b exec/s: 900 rss: 60Mb\n"
CRASH = (
    "#7\tNEW    cov: 9 ft: 9 corp: 4/9b\n === Uncaught Python exception: ===\nAssertionError: one\n"
    "Traceback (most recent call last):\n  File x\n\n==1== ERROR: libFuzzer: fuzz target exited\n"
    "SUMMARY: libFuzzer: fuzz target exited\nTest unit written to /found/mime/crash-1\n"
)


def test_a_sound_run_is_counted():
    """Inputs, branches and the corpus come from libFuzzer's last line."""
    outcome = running.outcome_of("mime", 0, DONE)
    assert outcome == running.Outcome("mime", 900, 54, 53)
    assert outcome.sound


def test_a_finding_is_told_with_its_file():
    """The traceback is shown, and where the octets are kept."""
    outcome = running.outcome_of("mime", 77, CRASH)
    assert not outcome.sound and outcome.finding == Path("/found/mime/crash-1")
    assert "AssertionError: one" in outcome.words and "SUMMARY" not in outcome.words


@pytest.mark.parametrize(("status", "said"), [(1, "ImportError: no module\n"), (0, "")])
def test_what_did_not_run_is_no_success(status, said):
    """A target that cannot even be loaded, or tried nothing, is not sound."""
    outcome = running.outcome_of("mime", status, said)
    assert not outcome.sound and outcome.words


def test_one_file_can_be_tried_alone(tmp_path):
    """`--input FILE` needs no atheris: exit 0 when all holds, a traceback when not."""
    letter = tmp_path / "letter"
    letter.write_bytes(b"Subject: Hello\r\n\r\nHi.\r\n")
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", "mime", "--input", str(letter)], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "as it should be" in done.stdout


def test_an_unknown_target_is_refused_with_the_names():
    """Who mistypes a name sees which there are."""
    done = subprocess.run([sys.executable, "-m", "fuzz", "mine"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no target is called 'mine'" in done.stderr and "smtp_framing" in done.stderr


@pytest.mark.skipif(find_spec("atheris") is None, reason="needs atheris: pip install -e '.[fuzz]'")
def test_atheris_runs_a_target(tmp_path, capsys):
    """A second of fuzzing tries many inputs and ends by itself."""
    assert running.run(["process_words"], seconds=1, jobs=1, found=tmp_path) == 0
    assert "1 of 1 targets sound" in capsys.readouterr().out


def test_without_atheris_it_says_what_to_install(capsys, monkeypatch):
    """No traceback: what is missing, and what there is without it."""
    monkeypatch.setattr(running, "find_spec", lambda name: None)
    assert running.run(["process_words"], seconds=1, jobs=1) == 2
    assert "pip install" in capsys.readouterr().out


def test_pieces_are_the_octets():
    """How a target cuts its input changes no octet."""
    for data in (b"", b"\0", b"\3abcdefgh", b"\7" + bytes(range(256)), uncut(b"x")):
        octets, cut = pieces(data)
        assert b"".join(cut) == octets
    assert pieces(uncut(b"abc")) == (b"abc", [b"abc"])


@pytest.mark.parametrize("block", [
    b"To: a\r\nBcc: b\r\n", b"To: a\n", b"To: a\r\r\n", b"To: \0\r\n", b"To: a", b"To: " + b"x" * 999 + b"\r\n",
    b"To: a\r\n \r\n",
])
def test_the_check_of_headers_can_fail(block):
    """Each way to break a header is seen."""
    check_header(b"To: a\r\n\tb\r\n", {b"to"})
    with pytest.raises(AssertionError):
        check_header(block, {b"to"})


def test_a_target_has_a_name():
    """Asking for one that is not there is a KeyError, not an import of something else."""
    with pytest.raises(KeyError):
        load("..target")
