"""Which passwords are trivial. Pure; refuses to know where passwords are kept.

Length does more than a mixture of character classes (NIST SP 800-63B 5.1.1.2), so no mixture is asked for. What is
refused is what a person who knows the user would try: the user's names and number, plain or backwards, keyboard and
number runs, one character over and over, and the words that head every list of leaked passwords.
"""

from __future__ import annotations

from unitymail.people.user import User

REST_WANTED = 3
"""Characters that must be left when names and runs are taken out."""
RUN = 3
"""Neighbouring keys in a row that count as a run."""
REPEAT = 3
"""Times that one character may stand in a row."""

_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop")
_COMMON = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "kennwort", "letmein", "welcome", "admin",
    "administrator", "changeme", "default", "secret", "iloveyou", "monkey", "dragon", "master", "football", "baseball",
    "sunshine", "princess", "superman", "trustno1", "unitymail", "voicemail",
)  # fmt: skip


def why_trivial(password: str, user: User) -> str:
    """The reason in words, "" for a password that will do."""
    folded = password.casefold()
    if any(character * (REPEAT + 1) in folded for character in set(folded)):
        return f"it has one character more than {REPEAT} times in a row"
    rest = folded
    for known in sorted(_known_words(user), key=len, reverse=True):
        rest = rest.replace(known, "")
    if len(_without_runs(rest)) < REST_WANTED:
        if rest == folded:
            return "it is little more than a run of neighbouring keys or numbers"
        return "it is little more than the user's own name or number, or a word that everybody tries first"
    return ""


def _known_words(user: User) -> set[str]:
    own = (user.alias, user.extension, user.first_name, user.last_name, *user.display_name.split())
    words = {word.casefold() for word in (*own, *_COMMON) if len(word) > 2}
    return words | {word[::-1] for word in words}


def _without_runs(text: str) -> str:
    """`text` without its runs (abc, 321, qwe)."""
    kept = []
    at = 0
    while at < len(text):
        length = _run_at(text, at)
        if length < RUN:
            kept.append(text[at])
            length = 1
        at += length
    return "".join(kept)


def _run_at(text: str, at: int) -> int:
    """How many characters from `at` stand side by side in one row, in one direction."""
    best = 1
    for row in (*_ROWS, *(row[::-1] for row in _ROWS)):
        length = 1
        while at + length < len(text) and text[at : at + length + 1] in row:
            length += 1
        best = max(best, length)
    return best
