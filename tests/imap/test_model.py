"""Several clients at once, thousands of random commands, and every response is what a simple model says."""

import os
import random

import pytest

from tests.imap.model.play import Play

COMMANDS = int(os.environ.get("MODEL_COMMANDS", "56000"))
PLAYS = 14


@pytest.mark.parametrize("seed", range(PLAYS))
def test_every_response(tmp_path, seed):
    """Clients of four kinds select, store, fetch, search, copy, move, append, expunge and idle on the same folders."""
    play = Play(tmp_path, random.Random(seed))
    try:
        while play.count < COMMANDS // PLAYS:
            play.step()
    finally:
        play.close()
