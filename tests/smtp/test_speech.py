"""Replies held back after many mistakes: in order, bounded, and never longer than the node stands."""

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import CHRIS
from tests.smtp.conversation import Conversation, codes
from unitymail.policy.tarpit import FREE, MOST_S, STEP_S
from unitymail.settings.site import SiteSettings

OPEN = SiteSettings(smtp_allow_untrusted=True, smtp_untrusted_require_auth=False)
GUESS = "RCPT TO:<guess{}@vm1.example.com>"


def hasty(**options):
    """A client that does not wait until it is answered."""
    c = Conversation(**options).greeted()
    c.patient = False
    return c


def test_the_first_mistakes_cost_nothing():
    """A person at a keyboard, or a client that tries what it may, notices nothing."""
    c = hasty()
    assert c.codes(*["NONSENSE"] * FREE) == ["500 5.5.1"] * FREE
    assert c.codes("NOOP") == ["250 2.0.0"]


def test_each_further_one_waits_longer():
    """Half a second, one, one and a half …; what is pipelined behind waits its turn, and the order is kept."""
    c = hasty()
    assert c.codes(*["NONSENSE"] * (FREE + 2), "NOOP") == ["500 5.5.1"] * FREE
    c.clock.advance(STEP_S - 0.01)
    assert c.heard() == ""
    c.clock.advance(0.01)
    assert codes(c.heard()) == ["500 5.5.1"]
    c.clock.advance(2 * STEP_S - 0.01)
    assert c.heard() == ""
    c.clock.advance(0.01)
    assert codes(c.heard()) == ["500 5.5.1", "250 2.0.0"]


def test_who_harvests_addresses_is_slowed_down():
    """Recipients that a stranger guesses are mistakes; a hundred take minutes, and good ones wait among them."""
    c = hasty(site=OPEN, access=())
    c.say("MAIL FROM:<someone@example.net>")
    said = c.codes(*[GUESS.format(n) for n in range(99)], f"RCPT TO:<{CHRIS.address}>")
    began = c.clock.seconds()
    while len(said) < 100:
        c.clock.advance(0.5)
        said += codes(c.heard())
    assert said == ["550 5.1.1"] * 99 + ["250 2.1.5"]
    assert 7 * 60 < c.clock.seconds() - began < 9 * 60


def test_a_client_we_know_may_err_about_recipients():
    """Its unknown recipients are reported after the message, and none of them is a mistake."""
    for c in (hasty(), hasty(door="submission", site=SiteSettings(smtp_auth_without_tls=True)).signed_in()):
        c.patient = False
        c.say("MAIL FROM:<robin@vm1.example.com>")
        assert c.codes(*[GUESS.format(n) for n in range(50)]) == ["250 2.1.5"] * 50


def test_reading_stops_meanwhile():
    """A client that goes on sending fills no memory here."""
    c = hasty()
    c.say(*["NONSENSE"] * (FREE + 1))
    c.say(*["NOOP"] * 10)
    assert not c.wire.reading
    c.clock.advance(STEP_S)
    assert codes(c.heard()) == ["500 5.5.1"] + ["250 2.0.0"] * 10 and c.wire.reading


def test_a_node_that_stops_holds_nothing_back():
    """What waits is said at once, then goodbye."""
    c = hasty()
    c.say(*["NONSENSE"] * (FREE + 1), "NOOP")
    gone = c.door.drain()
    assert codes(c.heard()) == ["500 5.5.1", "421 4.3.2"] and c.wire.disconnecting
    c.hang_up()
    release = c.session._order.speech.release
    assert gone.called and not [call for call in c.clock.getDelayedCalls() if call.func == release]


def test_a_client_that_does_not_wait():
    """It leaves, and nothing of it stays."""
    c = hasty()
    c.say(*["NONSENSE"] * (FREE + 1))
    c.hang_up()
    assert c.clock.getDelayedCalls() == [] and c.connections() == 0
    c.clock.advance(MOST_S)
    assert c.heard() == ""


def test_the_last_reply_does_not_wait():
    """Ten wrong commands end the session: whoever goes need not be slowed down."""
    c = hasty()
    said = c.codes(*["NONSENSE"] * 10)
    for _ in range(9 - FREE):
        c.clock.advance(MOST_S)
        said += codes(c.heard())
    assert said == ["500 5.5.1"] * 10 + ["421 4.7.0"] and c.wire.disconnecting


def test_a_wait_under_way_is_no_idleness():
    """The time limit begins when the reply is out."""
    c = hasty()
    c.say(*["NONSENSE"] * (FREE + 1))
    c.clock.advance(STEP_S)
    c.heard()
    c.clock.advance(290)
    assert c.codes("NOOP") == ["250 2.0.0"]


def test_lines_that_are_too_long_are_mistakes_too():
    """Those that the framer gives up as much as those that a verb does not take."""
    c = hasty()
    for _ in range(FREE):
        assert c.codes("NOOP " + "x" * 3_000) == ["500 5.5.2"]
    assert c.codes("x" * 13_000) == []
    c.clock.advance(STEP_S)
    assert codes(c.heard()) == ["500 5.5.2"]


COMMANDS = st.sampled_from([
    "NOOP", "NONSENSE", "RSET", "VRFY x", "EXPN x", "HELP", "MAIL FROM:<someone@example.net>", "MAIL FROM:", "STARTTLS",
    "RCPT TO:<chris@vm1.example.com>", "RCPT TO:<guess@vm1.example.com>", "x" * 3_000,
])  # fmt: skip


@given(st.lists(COMMANDS, max_size=20), st.lists(st.tuples(st.integers(1, 60), st.floats(0, 6)), max_size=30))
def test_waits_change_no_reply(lines, pieces):
    """Pipelined, cut anywhere, hasty or not: a client hears what one hears that waits for each reply."""
    slow = Conversation(site=OPEN, access=()).greeted()
    one_by_one = "".join(slow.say(line) for line in lines)
    hasty_one = hasty(site=OPEN, access=())
    octets, said = "".join(f"{line}\r\n" for line in lines).encode(), ""
    for size, seconds in pieces:
        said += hasty_one.send(octets[:size])
        octets = octets[size:]
        hasty_one.clock.advance(seconds)
    said += hasty_one.send(octets)
    for _ in lines:
        hasty_one.clock.advance(MOST_S)
        said += hasty_one.heard()
    assert said == one_by_one
