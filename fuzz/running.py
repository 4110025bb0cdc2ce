"""Fuzzing several targets, each in a process of its own, and the table of what came of it.

Knows what libFuzzer writes; refuses to know what a target checks. A finding is kept in `found/NAME/`, which git does
not see: once it is mended its octets go to `corpus/NAME/`, and tests/fuzz tries them ever after.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
FOUND = HERE / "found"
GRACE_S = 60
"""Beyond its time, for starting and for the input it is at."""
_LAST = re.compile(r"#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)")
_SAVED = re.compile(r"Test unit written to (\S+)")
_printing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`executions` inputs reached `branches` of the code; `finding` is the file of octets that broke it."""

    name: str
    executions: int
    branches: int
    corpus: int
    finding: Path | None = None
    words: str = ""

    @property
    def sound(self) -> bool:
        return self.finding is None and not self.words


def run(names: Sequence[str], *, seconds: int, jobs: int, found: Path = FOUND) -> int:
    """The exit status: 1 when anything was found."""
    if find_spec("atheris") is None:
        print("Fuzzing needs atheris: pip install -e '.[test,fuzz]' (tests/fuzz tries the same checks without it)")
        return 2
    print(f"{len(names)} targets, {seconds} s each, {jobs} at a time", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(lambda name: _told(_fuzz(name, seconds, found)), names))
    broken = [outcome for outcome in outcomes if not outcome.sound]
    for outcome in broken:
        print(f"\n{outcome.name}: FOUND\n{outcome.words}")
        if outcome.finding is not None:
            print(f"Kept in {outcome.finding}\nAgain: python -m fuzz {outcome.name} --input {outcome.finding}")
    print(f"\n{len(outcomes) - len(broken)} of {len(outcomes)} targets sound, "
          f"{sum(outcome.executions for outcome in outcomes):,} inputs")  # fmt: skip
    return 1 if broken else 0


def _told(outcome: Outcome) -> Outcome:
    with _printing:
        print(f"{outcome.name:16} {outcome.executions:>9,} inputs  {outcome.branches:>6,} branches  "
              f"{outcome.corpus:>5,} kept  {'sound' if outcome.sound else 'FOUND'}", flush=True)  # fmt: skip
    return outcome


def _fuzz(name: str, seconds: int, found: Path) -> Outcome:
    (found / name).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as work:
        words = [sys.executable, "-m", "fuzz.atheris_process", name, work, str(seconds), f"{found / name}/"]
        try:
            done = subprocess.run(
                words, cwd=HERE.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + GRACE_S
            )
        except subprocess.TimeoutExpired:
            return Outcome(name, 0, 0, 0, words=f"It did not stop within {GRACE_S} s after its time.")
    return outcome_of(name, done.returncode, done.stdout.decode("utf-8", "replace"))


def outcome_of(name: str, status: int, said: str) -> Outcome:
    """What libFuzzer's words and the exit status of its process come to."""
    told = _LAST.findall(said)
    executions, branches, _, corpus = map(int, told[-1]) if told else (0, 0, 0, 0)
    saved = _SAVED.search(said)
    if status == 0 and saved is None and executions:
        return Outcome(name, executions, branches, corpus)
    finding = Path(saved[1]) if saved else None
    return Outcome(name, executions, branches, corpus, finding, _reason(said))


def _reason(said: str) -> str:
    """The traceback, or what libFuzzer says of time and memory; without either, all that was said last."""
    lines = said.splitlines()
    begin = next((at for at, line in enumerate(lines) if "Uncaught Python exception" in line or "ERROR:" in line), None)
    if begin is None:
        return "\n".join(lines[-30:]) or "It tried nothing and said nothing."
    end = next((at for at, line in enumerate(lines[begin:], begin) if "SUMMARY:" in line), len(lines))
    return "\n".join(lines[begin:end][-40:])
