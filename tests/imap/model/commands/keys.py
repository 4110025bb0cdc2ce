"""Random search keys, one within the other, and whom they fit (RFC 3501, 6.4.4; RFC 5182, RFC 7162).

A key fits a message, or does not, or nobody knows: what only the message itself can tell is not known of one that has
left, and nothing follows from it (`None`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.imap.model.commands import arguments
from tests.imap.model.letters import BEGIN, PEOPLE, day, day_of

WORDS = ("lunch", "plans", "number 1", "xxxx", "(fwd)", "nowhere", "[list]")


@dataclass(frozen=True)
class Key:
    """`holds(number, known)` is True, False or None. modseq: it asks for mod-sequences."""

    text: str
    holds: Callable
    modseq: bool = False


def key(play, client, depth=2):
    """All of some keys."""
    keys = [_one(play, client, depth) for _ in range(play.random.choice([1, 1, 2]))]
    return Key(" ".join(one.text for one in keys), _all(keys), any(one.modseq for one in keys))


def _one(play, client, depth):
    make = play.random.choices([_flag, _set, _changed, _written, _made], [5, 4, 1, 2, 4 if depth else 0])[0]
    return make(play, client, depth)


def _made(play, client, depth):
    """Of other keys: NOT, OR, parentheses."""
    kind = play.random.choice(["NOT", "OR", "()"])
    if kind == "()":
        inner = key(play, client, depth - 1)
        return Key(f"({inner.text})", inner.holds, inner.modseq)
    if kind == "NOT":
        one = _one(play, client, depth - 1)
        return Key(f"NOT {one.text}", _not(one), one.modseq)
    left, right = _one(play, client, depth - 1), _one(play, client, depth - 1)
    neither = _all([Key("", _not(left)), Key("", _not(right))])
    return Key(f"OR {left.text} {right.text}", _not(Key("", neither)), left.modseq or right.modseq)


def _all(keys):
    def holds(number, known):
        answers = [one.holds(number, known) for one in keys]
        return False if False in answers else None if None in answers else True

    return holds


def _not(one):
    def holds(number, known):
        answer = one.holds(number, known)
        return None if answer is None else not answer

    return holds


def _flag(play, client, depth):
    flag = play.random.choice([*arguments.FLAGS, "ALL", "NEW", "OLD", "RECENT"])
    if not flag.startswith("\\") and flag.isupper():
        recent = {"ALL": None, "NEW": True, "OLD": False, "RECENT": True}[flag]
        return Key(flag, lambda number, known: (
            (recent is None or (known.uid in client.recent) is recent)
            and not (flag == "NEW" and "\\Seen" in known.flags)
        ))  # fmt: skip
    negated = play.chance(0.4)
    word = flag[1:].upper() if flag.startswith("\\") else f"KEYWORD {flag}"
    return Key("UN" * negated + word, lambda number, known: (flag in known.flags) is not negated)


def _set(play, client, depth):
    """Numbers beyond the last are no mistake here: they name nothing."""
    by_uid = arguments.by_uid(play, client)
    numbers = arguments.numbers(play, client, by_uid)
    named = {number for number, _ in client.chosen(numbers, by_uid)}
    return Key(arguments.uid(by_uid and numbers.text != "$") + numbers.text, lambda number, known: number in named)


def _changed(play, client, depth):
    known_modseq = arguments.heard_of(play, client) if client.aware else None
    if known_modseq is None:
        return _flag(play, client, depth)
    tick, modseq = known_modseq
    return Key(f"MODSEQ {modseq}", lambda number, known: known.tick >= tick, True)


def _written(play, client, depth):
    """What is in the messages, as far as they are there."""
    random = play.random
    size, word, person = random.randrange(60, 420), random.choice(WORDS), random.choice(PEOPLE)
    ordinal = day_of(BEGIN) + random.randrange(11)
    text, fits = random.choice([
        (f"LARGER {size}", lambda letter: len(letter.octets) > size),
        (f"SMALLER {size}", lambda letter: len(letter.octets) < size),
        (f'SUBJECT "{word}"', lambda letter: word.upper() in letter.subject.upper()),
        (f'HEADER Subject "{word}"', lambda letter: word.upper() in letter.subject.upper()),
        (f"FROM {person}", lambda letter: person.upper() in letter.people[0].upper()),
        ('HEADER Message-ID ""', lambda letter: bool(letter.id)),
        (f'BODY "{word}"', lambda letter: word.upper() in letter.body.upper()),
        (f'TEXT "{word}"', lambda letter: word.upper().encode() in letter.octets.upper()),
        (f"ON {day(ordinal)}", lambda letter: day_of(letter.arrived) == ordinal),
        (f"BEFORE {day(ordinal)}", lambda letter: day_of(letter.arrived) < ordinal),
        (f"SENTON {day(ordinal)}", lambda letter: letter.day == ordinal),
        (f"SENTSINCE {day(ordinal)}", lambda letter: letter.day >= ordinal),
    ])
    there = client.box.by_uid()
    return Key(text, lambda number, known: fits(known.letter) if known.uid in there else None)

