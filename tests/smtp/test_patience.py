"""How long a client may take is counted from the last whole thing that it said."""

import pytest

from unitymail.smtp.patience import FRUITLESS_S, HANDSHAKE_S, LINE_S, PACE, RECIPIENT_S, SILENT_S, Patience


def left(patience, now, receiving=False, octets=0, recipients=0):
    return patience.left(now, receiving=receiving, octets=octets, recipients=recipients)


def test_octets_do_not_put_off_the_end_of_a_line():
    """A line that comes octet by octet must be whole in the time that silence may last."""
    patience = Patience(100.0)
    patience.heard(200.0)
    assert left(patience, 200.0) == LINE_S - 100
    patience.got_on(200.0)
    assert left(patience, 200.0) == LINE_S


def test_whole_lines_without_a_message():
    """NOOP after NOOP keeps a place for half an hour, and not for ever; a message begins a new one."""
    patience = Patience(0.0)
    patience.got_on(FRUITLESS_S - 1)
    assert left(patience, FRUITLESS_S - 1) == 1
    patience.message_begins(FRUITLESS_S, 0)
    patience.message_ends(FRUITLESS_S + 10)
    assert left(patience, FRUITLESS_S + 10) == LINE_S


def test_recipients_are_worth_their_time():
    """Each that was accepted puts off the end of a session without a message, but not the end of a silence."""
    patience = Patience(0.0)
    patience.got_on(FRUITLESS_S)
    assert left(patience, FRUITLESS_S) == 0
    assert left(patience, FRUITLESS_S, recipients=7) == 7 * RECIPIENT_S
    assert left(patience, FRUITLESS_S, recipients=15_000) == LINE_S


def test_silence_within_a_message():
    """Three minutes without an octet end it."""
    patience = Patience(0.0)
    patience.message_begins(0.0, 0)
    patience.heard(50.0)
    assert left(patience, 60.0, receiving=True, octets=1_000_000) == SILENT_S - 10


@pytest.mark.parametrize("octets", [0, 1, 500, 60_000])
def test_the_pace_of_a_message(octets):
    """A message has five minutes, and besides the time that its octets take at the slowest pace."""
    patience = Patience(0.0)
    patience.message_begins(1_000.0, 70)
    patience.heard(1_310.0)
    wanted = min(SILENT_S, LINE_S - 310 + octets / PACE)
    assert left(patience, 1_310.0, receiving=True, octets=70 + octets) == pytest.approx(wanted)


def test_a_handshake_has_a_minute():
    """Whatever comes meanwhile; then the client may be silent as before."""
    patience = Patience(0.0)
    patience.shakes_hands(10.0)
    patience.heard(50.0)
    assert patience.in_handshake and left(patience, 50.0) == HANDSHAKE_S - 40
    patience.shook_hands(60.0)
    assert not patience.in_handshake and left(patience, 60.0) == LINE_S
