"""Several clients at once, thousands of random commands, and every response is what a simple model says."""

import os
import random

import pytest

from tests.imap.model.play import Play

COMMANDS = int(os.environ.get("MODEL_COMMANDS", "56000"))
PLAYS = 14


@pytest.mark.parametrize("seed", range(PLAYS))
def test_every_response(tmp_path, seed):
    """Clients of six kinds select, store, fetch, search, copy, move, append, replace, expunge and idle side by side."""
    play = Play(tmp_path, random.Random(seed))
    try:
        while play.count < COMMANDS // PLAYS:
            play.step()
    finally:
        play.close()
