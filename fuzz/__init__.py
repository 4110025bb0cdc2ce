"""Fuzzing: what must hold of every octet that a stranger may send, tried by a machine that looks for new paths.

A *target* is one file in `targets/` with a function `one(data)`: it gives the octets to a parser and asserts what must
hold of the outcome. It may have `SEEDS` (octets to begin with) and `WORDS` (pieces that the grammar knows). Octets that
once broke something are kept in `corpus/NAME/`.

The same functions are run three ways: by atheris, which follows the branches that the octets take
(`python -m fuzz NAME --seconds 20`, `make fuzz`); by hypothesis, in tests/fuzz; and on one file, to look at a finding
(`python -m fuzz NAME --input FILE`). Only the first needs atheris: `pip install -e '.[test,fuzz]'`.
"""
