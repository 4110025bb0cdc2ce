"""Several clients at once, thousands of random commands, and every response is what a simple model says."""

import os
import random

import pytest

from tests.imap.model.play import Play

COMMANDS = int(os.environ.get("MODEL_COMMANDS", "56000"))
PLAYS = 14


@pytest.mark.parametrize("seed", range(PLAYS))
def test_every_response(tmp_path, seed):
    """Clients of six kinds, which enable more as they go, do all that can be done with messages, side by side, in
    mailboxes that are renamed and deleted under them and that other programs change."""
    play = Play(tmp_path, random.Random(seed))
    try:
        while play.count < COMMANDS // PLAYS:
            play.step()
    finally:
        play.close()
