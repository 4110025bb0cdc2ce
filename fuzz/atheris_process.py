"""The process that atheris takes over: instruments `unitymail`, then feeds one target until its time is up.

`python -m fuzz.atheris_process NAME WORK SECONDS FOUND/`; `fuzz.running` starts it and reads what it says.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

LONGEST_INPUT = 8_192
LONGEST_S = 10
"""One input may take this long, on a busy machine and instrumented: all of them are small."""
MOST_MIB = 1_024


def main(name: str, work: str, seconds: str, found: str) -> None:
    with atheris.instrument_imports(include=["unitymail"], enable_loader_override=False):
        from fuzz.target import kept, load

        target = load(name)
    corpus = Path(work, "corpus")
    corpus.mkdir()
    for number, octets in enumerate([*target.seeds, *(path.read_bytes() for path in kept(name))]):
        (corpus / f"seed-{number:03}").write_bytes(octets[:LONGEST_INPUT])
    dictionary = Path(work, "words")
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words if word))
    options = [
        f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}", f"-timeout={LONGEST_S}", f"-rss_limit_mb={MOST_MIB}",
        f"-artifact_prefix={found}", f"-dict={dictionary}", "-print_final_stats=1", "-use_value_profile=0", str(corpus),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options], target.one)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{octet:02x}" for octet in word)


if __name__ == "__main__":
    main(*sys.argv[1:])
