"""`python -m fuzz [NAME ...] [--seconds N] [--jobs N]`: fuzz targets, and say what was tried and what was found.

`python -m fuzz NAME --input FILE` gives one file to a target, `--list` names them all. Exit status 1 is a finding.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fuzz import running, target


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="targets; all of them when none is named")
    parser.add_argument("--seconds", type=int, default=20, help="for each target (20)")
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time (2)")
    parser.add_argument("--input", type=Path, metavar="FILE", help="give this file to the target, without fuzzing")
    parser.add_argument("--list", action="store_true", help="name the targets and what they check")
    wanted = parser.parse_args()
    unknown = sorted(set(wanted.names) - set(target.names()))
    if unknown:
        parser.error(f"no target is called {unknown[0]!r}; there are: {', '.join(target.names())}")
    if wanted.list:
        for name in target.names():
            print(f"{name:16} {target.load(name).doc.splitlines()[0]}")
        return 0
    if wanted.input is not None:
        if len(wanted.names) != 1:
            parser.error("--input needs the name of one target")
        target.load(wanted.names[0]).one(wanted.input.read_bytes())
        print(f"{wanted.names[0]}: {wanted.input} is handled as it should be")
        return 0
    return running.run(wanted.names or target.names(), seconds=wanted.seconds, jobs=wanted.jobs)


if __name__ == "__main__":
    sys.exit(main())
