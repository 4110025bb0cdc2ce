"""How long a client waits for an answer that makes one mistake after the other: which mistakes count, and how much.

Refuses to know clocks: whoever answers does the waiting. It costs an honest client little, and one that guesses
commands, addresses or ways in nearly all of its speed.
"""

from __future__ import annotations

WRONG_COMMAND = frozenset((500, 501, 502, 503, 504, 555))
FREE = 3
STEP_S = 0.5
MOST_S = 5.0
"""Well under the five minutes that a client waits for a reply to RCPT (RFC 5321 4.5.3.2.3)."""


def is_mistake(verb: str, code: int, known: bool) -> bool:
    """Whether a refusal counts. Wrong commands always do.

    A refused sender or recipient only counts of a client that is neither `known` by its address nor signed in: so look
    the guesses of one who harvests addresses, or seeks an open relay.
    """
    return code in WRONG_COMMAND or (not known and code >= 500 and verb in ("MAIL", "RCPT"))


def held_back_s(mistakes: int) -> float:
    """How long the reply waits to the last of so many mistakes in a connection."""
    return min(max(mistakes - FREE, 0) * STEP_S, MOST_S)
