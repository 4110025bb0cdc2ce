"""How many connections there are, who waits, and which are used again."""

import re
from types import SimpleNamespace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from tests.fakes import InlineThreads
from tests.relay.play import FULL, HOP, LETTER, Play, kinds, letter
from unitymail.relay import sending
from unitymail.relay.client import QUIT_S
from unitymail.relay.connecting import CannotConnect
from unitymail.relay.exchange import ANSWER_S
from unitymail.relay.fitting import Nature
from unitymail.relay.pool import CAREFUL_S, IDLE_S, LAST_WORDS_S, MOST_MESSAGES, PAUSE_S, Pool
from unitymail.relay.sending import Waiting
from unitymail.relay.transaction import Awaited
from unitymail.relay.trouble import Trouble


class Connector:
    """Opens connections on stages, all on one clock; fails when told to."""

    def __init__(self, *extensions):
        self.extensions = extensions or FULL
        self.clock = Clock()
        self.plays = []
        self.fail = None
        self.wait = None
        self.asked = 0

    async def open(self, hop, made, ended):
        self.asked += 1
        if self.wait is not None:
            await self.wait
        if isinstance(self.fail, Trouble):
            raise CannotConnect(self.fail)
        if self.fail is not None:
            raise self.fail
        play = Play(hop)
        play.client._deadline._clock = self.clock
        play.client._deadline.end()
        play.client._ended = ended
        made(play.client)
        play.greet(*self.extensions)
        self.plays.append(play)
        return play.client


class Stage:
    def __init__(self, *extensions, limit=2):
        self.connector = Connector(*extensions)
        self.limit = limit
        self.pool = Pool(
            HOP, connector=self.connector, limit=lambda: self.limit, clock=self.connector.clock, threads=InlineThreads()
        )

    @property
    def plays(self):
        return self.connector.plays

    def send(self, folder, **more):
        found = []
        self.pool.send(letter(folder, **more)).addBoth(found.append)
        return found

    def advance(self, seconds):
        self.connector.clock.advance(seconds)


GO = ["250 ok", "250 ok", "354 go"]
DOWN = Trouble("4.4.1", "It cannot be reached.")


def answer(play):
    play.hear(*GO)
    play.hear("250 2.0.0 taken")


def test_used_again(tmp_path):
    """The next message goes on the connection of the one before."""
    stage = Stage()
    for _ in range(3):
        found = stage.send(tmp_path)
        answer(stage.plays[0])
        assert kinds(found[0]) == [("done", "2.0.0")]
    assert len(stage.plays) == 1 and len(stage.pool) == 1


def test_limit(tmp_path):
    """No more connections than the site allows; who comes later goes behind the messages under way."""
    stage = Stage()
    found = [stage.send(tmp_path) for _ in range(5)]
    one, two = stage.plays
    envelope = one.said()
    assert envelope == two.said() != ""
    for play in (one, two):
        assert play.hear("250 ok", "250 ok", "354 go").endswith("\r\n.\r\n" + envelope)
    assert one.hear("250 2.0.0 taken", "250 ok", "250 ok", "354 go").endswith("\r\n.\r\n" + envelope)
    assert two.hear("250 2.0.0 taken", "250 ok", "250 ok", "354 go").endswith("\r\n.\r\n")
    assert one.hear("250 2.0.0 taken", "250 ok", "250 ok", "354 go").endswith("\r\n.\r\n")
    for play in (one, two):
        play.hear("250 2.0.0 taken")
    assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 5
    assert len(stage.plays) == 2


def test_the_limit_is_lowered(tmp_path):
    """Connections above the new limit end as their messages do, and who waits still gets a turn."""
    stage = Stage()
    found = [stage.send(tmp_path) for _ in range(3)]
    stage.limit = 1
    answer(stage.plays[0])
    assert not stage.plays[0].client.usable and found[2] == []
    answer(stage.plays[1])
    answer(stage.plays[1])
    assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 3


def test_a_connection_that_ends_is_one(tmp_path):
    """A server counts it until it has ended: the next one waits for that, and for no longer than a moment."""
    for how in ("ends", "stays"):
        stage = Stage(*FULL, "LIMITS MAILMAX=1", limit=1)
        first, second = stage.send(tmp_path), stage.send(tmp_path)
        play = stage.plays[0]
        answer(play)
        assert play.said() == "" and play.client.is_leaving and kinds(first[0]) == [("done", "2.0.0")]
        assert second == [] and stage.connector.asked == 1
        if how == "stays":
            stage.advance(QUIT_S)
            assert play.wire.aborted
        play.lose()
        answer(stage.plays[1])
        assert kinds(second[0]) == [("done", "2.0.0")]


def test_idle(tmp_path):
    """A connection that nobody needs for a while ends politely."""
    stage = Stage()
    stage.send(tmp_path)
    answer(stage.plays[0])
    stage.advance(IDLE_S - 1)
    assert stage.plays[0].client.usable
    stage.advance(1)
    assert stage.plays[0].said() == "QUIT\r\n"
    stage.plays[0].lose()
    assert len(stage.pool) == 0
    stage.send(tmp_path)
    assert len(stage.plays) == 2


def test_ended_while_idle(tmp_path):
    """One that ended meanwhile is not even tried."""
    stage = Stage()
    stage.send(tmp_path)
    answer(stage.plays[0])
    stage.plays[0].lose()
    found = stage.send(tmp_path)
    answer(stage.plays[1])
    assert kinds(found[0]) == [("done", "2.0.0")]


def test_stale(tmp_path):
    """One that turns out to have ended is replaced; nobody hears of it."""
    stage = Stage()
    stage.send(tmp_path)
    answer(stage.plays[0])
    found = stage.send(tmp_path)
    stage.plays[0].lose()
    assert found == [] and len(stage.plays) == 2
    answer(stage.plays[1])
    assert kinds(found[0]) == [("done", "2.0.0")]
    assert found[0].dialogue[0].startswith("S: 220")


def test_messages_of_a_connection(tmp_path):
    """100 messages, or as many as the server says if that is less."""
    for told, most in (("HELP", MOST_MESSAGES), ("LIMITS MAILMAX=3", 3), ("LIMITS MAILMAX=1000", MOST_MESSAGES)):
        stage = Stage(*FULL, told)
        for _ in range(most):
            assert stage.plays == [] or stage.plays[0].client.usable
            stage.send(tmp_path)
            answer(stage.plays[0])
        assert not stage.plays[0].client.usable
        stage.send(tmp_path)
        assert len(stage.plays) == 2


def test_no_connection(tmp_path):
    """The hop is down, everybody waits, and the next one may try."""
    stage = Stage()
    stage.connector.fail = Trouble("4.4.1", "It cannot be reached.")
    found = stage.send(tmp_path)
    assert kinds(found[0]) == [("try-again", "4.4.1")] and found[0].hop_down
    stage.connector.fail = None
    stage.send(tmp_path)
    assert len(stage.plays) == 1


def test_no_connection_for_many(tmp_path):
    """One attempt is enough: the others come back untried, and no more connections are tried than there may be."""
    stage = Stage(limit=3)
    stage.connector.wait = Deferred()
    found = [stage.send(tmp_path) for _ in range(5)]
    stage.connector.fail = DOWN
    stage.connector.wait.callback(None)
    assert stage.connector.asked == 3
    assert kinds(found[0][0]) == [("try-again", "4.4.1")] and found[0][0].hop_down
    assert found[1:] == [[None]] * 4


def test_a_connection_less(tmp_path):
    """While others work, nobody hears of one that cannot be made, and for a moment no other is tried."""
    stage = Stage(limit=3)
    found = [stage.send(tmp_path)]
    stage.connector.fail = DOWN
    found += [stage.send(tmp_path) for _ in range(3)]
    assert stage.connector.asked == 2
    stage.advance(PAUSE_S - 1)
    found += [stage.send(tmp_path)]
    assert stage.connector.asked == 2
    stage.advance(1)
    assert stage.connector.asked == 3
    play = stage.plays[0]
    play.hear(*GO)
    for _ in range(4):
        play.hear("250 2.0.0 taken", *GO)
    play.hear("250 2.0.0 taken")
    assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 5
    closed = []
    stage.pool.close().addCallback(closed.append)
    play.lose()
    assert closed == [None] and stage.connector.clock.getDelayedCalls() == []


def test_no_pause_where_nobody_works(tmp_path):
    """When the last working connection ends meanwhile, who waits has another at once."""
    stage = Stage(limit=2)
    found = [stage.send(tmp_path)]
    stage.connector.fail = DOWN
    found += [stage.send(tmp_path) for _ in range(2)]
    stage.connector.fail = None
    play = stage.plays[0]
    play.hear("250 ok", "250 ok", "354 go")
    play.lose()
    assert found[0][0].sent_dot and found[1:] == [[], []] and len(stage.plays) == 2
    answer(stage.plays[1])
    answer(stage.plays[1])
    assert [kinds(each[0]) for each in found[1:]] == [[("done", "2.0.0")]] * 2


def test_one_pause_for_all(tmp_path):
    """Several connections that cannot be made are followed by one moment of rest."""
    stage = Stage(limit=3)
    stage.send(tmp_path)
    stage.connector.wait = Deferred()
    for _ in range(2):
        stage.send(tmp_path)
    stage.connector.fail = DOWN
    stage.connector.wait.callback(None)
    answers_by = ANSWER_S[Awaited.MAIL]
    assert sorted(call.getTime() for call in stage.connector.clock.getDelayedCalls()) == [PAUSE_S, answers_by]


def test_not_heard_and_another_connection(tmp_path):
    """Who was sent behind another and not heard waits for a turn of its own, also where others go behind."""
    stage = Stage(limit=2)
    found = [stage.send(tmp_path, sender=f"{name}@vm1.example.com") for name in "abcde"]
    one, two = stage.plays
    two.said()
    stage.connector.wait = Deferred()
    assert "<c@vm1" in one.hear(*GO)
    one.hear("250 ok", "421 4.3.2 bye")
    assert "MAIL" not in two.hear(*GO)
    assert "<c@vm1" in two.hear("250 ok")
    assert "<d@vm1" in two.hear(*GO)
    two.hear("250 ok", *GO)
    assert "<e@vm1" in two.hear("250 ok")
    two.hear(*GO)
    two.hear("250 ok")
    assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 5


def test_not_behind_a_slow_answer(tmp_path):
    """Who waits while a connection is being made goes there: the answer to the message in front may take minutes."""
    stage = Stage(limit=2)
    first = stage.send(tmp_path)
    stage.connector.wait = Deferred()
    second = stage.send(tmp_path)
    one = stage.plays[0]
    one.said()
    assert "MAIL" not in one.hear(*GO)
    stage.connector.wait.callback(None)
    answer(stage.plays[1])
    assert kinds(second[0]) == [("done", "2.0.0")] and first == []
    one.hear("250 2.0.0 taken")
    assert kinds(first[0]) == [("done", "2.0.0")]


def test_the_last_connection_of_several_fails(tmp_path):
    """As long as others are being made nothing is said of one that failed; a message waits for them."""
    stage = Stage(limit=2)
    first, second = Deferred(), Deferred()
    stage.connector.wait = first
    one = stage.send(tmp_path)
    stage.connector.wait = second
    other = stage.send(tmp_path)
    stage.connector.fail = DOWN
    first.callback(None)
    assert one == other == []
    stage.connector.fail = None
    second.callback(None)
    play = stage.plays[0]
    play.hear(*GO)
    play.hear("250 2.0.0 taken", *GO)
    play.hear("250 2.0.0 taken")
    assert kinds(one[0]) == kinds(other[0]) == [("done", "2.0.0")]


def test_refused_for_good(tmp_path):
    """A hop that is none fails each message by itself."""
    stage = Stage()
    stage.connector.fail = Trouble("5.1.10", "It takes no mail.", kind="failed")
    found = [stage.send(tmp_path) for _ in range(4)]
    assert [kinds(each[0]) for each in found] == [[("failed", "5.1.10")]] * 4
    assert not found[0][0].hop_down


def test_tls_all_the_way_to_a_hop_without(tmp_path):
    """RFC 8689 4.2.1: who requires it is told at once; for all others the hop may have TLS again later."""
    stage = Stage()
    stage.connector.fail = Trouble("4.7.4", "It offers no TLS.", no_tls=True)
    found = stage.send(tmp_path, require_tls=True, to=("a@example.net", "b@example.net"))
    assert kinds(found[0]) == [("failed", "5.7.30")] * 2 and not found[0].hop_down
    found = stage.send(tmp_path)
    assert kinds(found[0]) == [("try-again", "4.7.4")] and found[0].hop_down
    stage.connector.fail = DOWN
    found = stage.send(tmp_path, require_tls=True)
    assert kinds(found[0]) == [("try-again", "4.4.1")] and found[0].hop_down


def test_a_surprise_while_connecting(tmp_path):
    """It is raised where somebody waited, and the next message may try."""
    stage = Stage()
    stage.connector.fail = ZeroDivisionError()
    assert stage.send(tmp_path)[0].check(ZeroDivisionError)
    stage.connector.fail = None
    found = stage.send(tmp_path)
    answer(stage.plays[0])
    assert kinds(found[0]) == [("done", "2.0.0")]


def test_a_surprise_while_another_connection_works(tmp_path):
    """It is no lack of connections, which nobody need hear of: it is raised where somebody waited."""
    stage = Stage()
    first = stage.send(tmp_path)
    stage.connector.fail = ZeroDivisionError()
    assert stage.send(tmp_path)[0].check(ZeroDivisionError)
    answer(stage.plays[0])
    assert kinds(first[0]) == [("done", "2.0.0")]


def test_hop_down_in_the_middle(tmp_path):
    """421 on the only connection: its message has the attempt, whoever waits comes back untried."""
    stage = Stage(limit=1)
    found = [stage.send(tmp_path) for _ in range(4)]
    play = stage.plays[0]
    play.hear(*GO)
    play.hear("421 4.3.2 shutting down")
    assert kinds(found[0][0]) == [("try-again", "4.3.2")] and found[0][0].hop_down
    assert found[1:] == [[None]] * 3 and stage.connector.asked == 1


def test_hop_down_on_one_of_two(tmp_path):
    """While another connection works, those who wait go on there."""
    stage = Stage(limit=2)
    found = [stage.send(tmp_path) for _ in range(4)]
    stage.connector.fail = DOWN
    one, two = stage.plays
    one.hear(*GO)
    one.hear("421 4.3.2 shutting down")
    assert found[0][0].hop_down and found[1:] == [[], [], []]
    two.hear(*GO)
    two.hear("250 ok")
    two.hear(*GO)
    two.hear("250 ok", *GO)
    two.hear("250 ok")
    assert [kinds(each[0]) for each in found[1:]] == [[("done", "2.0.0")]] * 3


def test_not_heard(tmp_path):
    """What was begun behind a message, and not heard, is the first on the next connection and never begun so again."""
    stage = Stage(limit=1)
    found = [stage.send(tmp_path, sender=f"{name}@vm1.example.com") for name in "abcd"]
    one = stage.plays[0]
    assert "<b@vm1" in one.hear(*GO)
    one.hear("250 ok")
    one.lose()
    two = stage.plays[1]
    assert "<b@vm1" in two.said()
    assert kinds(found[0][0]) == [("done", "2.0.0")] and found[1:] == [[], [], []]
    stage.advance(CAREFUL_S - 1)
    assert "MAIL" not in two.hear(*GO), "one at a time for a while"
    assert "<c@vm1" in two.hear("250 ok")
    stage.advance(1)
    assert "<d@vm1" in two.hear(*GO)
    two.hear("250 ok", *GO)
    two.hear("250 ok")
    assert [kinds(each[0]) for each in found[1:]] == [[("done", "2.0.0")]] * 3


def test_several_were_not_heard(tmp_path):
    """They go before those who came later, in their order."""
    stage = Stage(limit=0)
    stage.send(tmp_path, sender="c@vm1.example.com")
    unheard = [Waiting(letter(tmp_path, sender=f"{name}@vm1.example.com")) for name in "ab"]
    stage.pool.left(object(), unheard, (), hopeless=False)
    stage.limit = 1
    stage.send(tmp_path, sender="d@vm1.example.com")
    (play,) = stage.plays
    said = play.said()
    for _ in range(3):
        said += play.hear(*GO)
        said += play.hear("250 ok")
    assert re.findall("<(.)@vm1", said) == ["a", "b", "c", "d"]


def test_a_server_that_closes_after_each_message(tmp_path):
    """Each message arrives once, and none of them counts an attempt too many."""
    stage = Stage(limit=1)
    found = [stage.send(tmp_path, sender=f"{number}@vm1.example.com") for number in range(5)]
    for number in range(5):
        play = stage.plays[number]
        assert f"<{number}@vm1" in play.said()
        play.hear(*GO)
        play.hear("250 ok")
        play.lose()
    assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 5


def test_nothing_behind_the_last_message(tmp_path):
    """A server that takes three messages on a connection is not told of a fourth."""
    stage = Stage(*FULL, "LIMITS MAILMAX=3", limit=1)
    found = [stage.send(tmp_path) for _ in range(4)]
    play = stage.plays[0]
    assert "MAIL" in play.hear(*GO)
    assert "MAIL" in play.hear("250 ok", *GO)
    assert "MAIL" not in play.hear("250 ok", *GO)
    assert play.hear("250 ok") == "QUIT\r\n"
    play.lose()
    answer(stage.plays[1])
    assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 4


def test_a_message_of_many_transactions(tmp_path):
    """It is not begun where it cannot be ended: the server would close in the middle, and the rest would wait."""
    stage = Stage(*FULL, "LIMITS MAILMAX=3 RCPTMAX=1", limit=1)
    first = stage.send(tmp_path)
    to = ["a@example.net", "b@example.net", "c@example.net"]
    many = stage.send(tmp_path, to=to)
    play = stage.plays[0]
    play.said()
    assert "MAIL" not in play.hear(*GO)
    assert play.hear("250 ok") == "QUIT\r\n" and kinds(first[0]) == [("done", "2.0.0")]
    play.lose()
    play = stage.plays[1]
    for _ in to:
        answer(play)
    assert kinds(many[0]) == [("done", "2.0.0")] * 3 and not play.client.usable
    play.lose()
    more = stage.send(tmp_path, to=[*to, "d@example.net"])
    for _ in range(4):
        answer(stage.plays[2])
    assert kinds(more[0]) == [("done", "2.0.0")] * 4, "more than any connection has room for is tried all the same"


def test_one_after_the_other(tmp_path):
    """Who sends the next message when the last one is done needs no other connection for it."""
    stage = Stage(limit=8)
    left = [letter(tmp_path) for _ in range(5)]

    def go_on(attempt):
        if left:
            stage.pool.send(left.pop()).addCallback(go_on)

    go_on(None)
    for _ in range(5):
        answer(stage.plays[0])
    assert left == [] and stage.connector.asked == 1


def test_the_next_one_does_not_wait_for_a_slow_one(tmp_path):
    """Who sends the next message when the last one is done, while another is under way there, gets a connection."""
    stage = Stage(limit=1)
    large, after = letter(tmp_path, LETTER * 1_500), []
    first, second = stage.pool.send(letter(tmp_path)), stage.pool.send(letter(tmp_path))
    first.addCallback(lambda _: stage.pool.send(large).addBoth(after.append))
    stage.plays[0].hear(*GO)
    stage.limit = 2
    stage.plays[0].hear("250 ok")
    assert stage.connector.asked == 2 and "MAIL" in stage.plays[1].said() and not second.called


def test_a_surprise_with_one_of_three(tmp_path, monkeypatch):
    """What nobody expected about a message is raised where it was sent; those before and behind it arrive."""

    def mail_line(outgoing, manner, offers):
        if outgoing.envid == "surprise":
            raise ZeroDivisionError
        return b"MAIL FROM:<>"

    monkeypatch.setattr(sending, "mail_line", mail_line)
    for surprised in range(3):
        stage = Stage(limit=1)
        found = [stage.send(tmp_path, envid="surprise" if number == surprised else None) for number in range(3)]
        stage.advance(0)
        [play] = stage.plays
        play.hear(*GO)
        play.hear("250 ok", *GO)
        play.hear("250 ok")
        stage.advance(0)
        assert found.pop(surprised)[0].check(ZeroDivisionError)
        assert [kinds(each[0]) for each in found] == [[("done", "2.0.0")]] * 2
        closed = []
        stage.pool.close().addCallback(closed.append)
        play.lose()
        assert closed == [None]


def test_a_thousand_that_do_not_fit(tmp_path):
    """Each is told in a later turn, however many of them let the next one in."""
    stage = Stage(limit=1)
    left, found = 1_000, []
    unfit = letter(tmp_path, require_tls=True)

    def go_on(attempt):
        nonlocal left
        left -= 1
        found.append(attempt)
        if left:
            stage.pool.send(unfit).addCallback(go_on)

    stage.pool.send(unfit).addCallback(go_on)
    assert found == []
    for _ in range(1_000):
        stage.advance(0)
    assert len(found) == 1_000 and kinds(found[-1]) == [("failed", "5.7.30")]
    assert stage.connector.asked == 1 and stage.plays[0].client.usable


def test_what_is_raised_frees_the_place(tmp_path):
    """A message that cannot be read holds nobody else up."""
    stage = Stage(limit=1)
    outgoing = letter(tmp_path)
    (tmp_path / outgoing.path).unlink()
    found = []
    stage.pool.send(outgoing).addBoth(found.append)
    stage.plays[0].hear("250 ok", "250 ok", "354 go")
    assert found[0].check(FileNotFoundError)
    found = stage.send(tmp_path)
    answer(stage.plays[1])
    assert kinds(found[0]) == [("done", "2.0.0")]


def test_close(tmp_path):
    """Messages under way are finished, those that wait are not begun, and every connection ends."""
    stage = Stage()
    found = [stage.send(tmp_path) for _ in range(4)]
    closed = []
    stage.pool.close().addCallback(closed.append)
    stage.pool.close().addCallback(closed.append)
    for _ in range(4):
        stage.advance(0)
    assert found[2] == found[3] == [None]
    for play in stage.plays:
        play.hear("250 ok", "250 ok", "354 go")
        assert play.hear("250 2.0.0 taken") == "QUIT\r\n"
        assert closed == []
        play.lose()
    assert closed == [None, None]
    assert stage.send(tmp_path) == [None]


def test_close_at_once():
    """Without connections there is nothing to wait for; an idle one says goodbye."""
    closed = []
    Stage().pool.close().addCallback(closed.append)
    assert closed == [None]


def test_close_while_connecting(tmp_path):
    """Nobody is waited for with whom nothing was spoken of yet."""
    stage = Stage()
    stage.connector.wait = Deferred()
    found = stage.send(tmp_path)
    closed = []
    stage.pool.close().addCallback(closed.append)
    assert found == [None]
    assert closed == [None] and stage.connector.clock.getDelayedCalls() == []


def test_stale_while_closing(tmp_path):
    """No new connection is made for a node that ends."""
    stage = Stage()
    stage.send(tmp_path)
    answer(stage.plays[0])
    found = stage.send(tmp_path)
    stage.pool.close()
    stage.plays[0].lose()
    assert found == [None] and len(stage.plays) == 1


def test_close_while_nobody_answers(tmp_path):
    """A hop that says nothing does not keep the node from ending; that counts as no attempt, and tells of the dot."""
    stage = Stage()
    found = stage.send(tmp_path)
    stage.plays[0].hear("250 ok", "250 ok", "354 go")
    closed = []
    stage.pool.close().addCallback(closed.append)
    stage.advance(LAST_WORDS_S)
    assert stage.plays[0].wire.aborted and closed == []
    stage.plays[0].lose()
    assert kinds(found[0]) == [("later", "2.0.0")] and found[0].sent_dot and not found[0].hop_down
    assert closed == [None]


def test_cut_off_before_any_answer(tmp_path):
    """That the hop was given no time to answer does not make it one that is down."""
    stage = Stage()
    found = stage.send(tmp_path)
    stage.pool.close()
    stage.advance(LAST_WORDS_S)
    stage.plays[0].lose()
    assert kinds(found[0]) == [("later", "2.0.0")] and not found[0].hop_down and not found[0].sent_dot


def test_cut_off_keeps_what_was_settled(tmp_path):
    """A recipient who was refused before we cut the connection stays refused."""
    stage = Stage()
    found = []
    outgoing = letter(tmp_path, to=("gone@example.net", "kim@example.net"))
    stage.pool.send(outgoing).addBoth(found.append)
    stage.plays[0].hear("250 ok", "550 5.1.1 no", "250 ok", "354 go")
    stage.pool.close()
    stage.advance(LAST_WORDS_S)
    stage.plays[0].lose()
    assert kinds(found[0]) == [("failed", "5.1.1"), ("later", "2.0.0")]


def test_close_with_one_behind(tmp_path):
    """A message that was begun behind another ends as well; the next one is not begun."""
    stage = Stage(limit=1)
    found = [stage.send(tmp_path) for _ in range(3)]
    play = stage.plays[0]
    play.hear(*GO)
    closed = []
    stage.pool.close().addCallback(closed.append)
    assert found[2] == [None]
    assert "MAIL" not in play.hear("250 ok", *GO)
    assert play.hear("250 ok") == "QUIT\r\n"
    play.lose()
    assert [kinds(each[0]) for each in found[:2]] == [[("done", "2.0.0")]] * 2 and closed == [None]


def test_cut_with_one_behind(tmp_path):
    """Cut off by us, the first one may have arrived and the second was never begun; later, once, neither is lost."""
    for replies, expected in (([], None), (["250 ok", "250 ok"], [("later", "2.0.0")])):
        stage = Stage(limit=1)
        first, second = stage.send(tmp_path), stage.send(tmp_path)
        play = stage.plays[0]
        play.hear(*GO)
        play.hear(*replies)
        closed = []
        stage.pool.close().addCallback(closed.append)
        stage.advance(LAST_WORDS_S)
        play.lose()
        if replies:
            assert kinds(first[0]) == [("done", "2.0.0")] and kinds(second[0]) == expected
        else:
            assert kinds(first[0]) == [("later", "2.0.0")] and first[0].sent_dot and second == [None]
        assert closed == [None]


def test_close_before_the_unfit_is_told(tmp_path):
    """Closed only when everybody has been told."""
    stage = Stage()
    found = stage.send(tmp_path, require_tls=True)
    closed = []
    stage.pool.close().addCallback(closed.append)
    stage.plays[0].lose()
    assert found == closed == []
    stage.advance(0)
    assert kinds(found[0]) == [("failed", "5.7.30")] and closed == [None]


def test_close_while_a_message_is_looked_through(tmp_path):
    """A connection that ended meanwhile is not waited for any longer, once the look is over."""
    for result in (Nature("7bit", True), Failure(OSError("gone"))):
        looking = Deferred()
        stage = Stage("PIPELINING", limit=1)
        stage.pool._threads = SimpleNamespace(run=lambda function, *arguments, looking=looking: looking)
        found = stage.send(tmp_path, body="8bitmime")
        closed = []
        stage.pool.close().addCallback(closed.append)
        stage.plays[0].lose()
        assert found == closed == []
        looking.callback(result)
        assert found and closed == [None] and stage.connector.clock.getDelayedCalls() == []


def test_close_when_a_name_server_gives_up(tmp_path):
    """A connection that fails rather than being cancelled leaves nothing to be done later."""
    stage = Stage(limit=2)
    stage.send(tmp_path)
    stage.connector.fail = DOWN
    stage.connector.wait = Deferred(lambda wait: wait.callback(None))
    found = stage.send(tmp_path)
    closed = []
    stage.pool.close().addCallback(closed.append)
    assert found == [None]
    answer(stage.plays[0])
    stage.plays[0].lose()
    assert closed == [None] and stage.connector.clock.getDelayedCalls() == []


def test_looked_through_once(tmp_path):
    """Where the connection ended meanwhile, the look is not taken again on the next; the message is begun there."""
    looking = Deferred()
    stage = Stage("PIPELINING", limit=1)
    stage.pool._threads = SimpleNamespace(run=lambda function, *arguments: looking)
    found = stage.send(tmp_path, body="8bitmime")
    stage.plays[0].lose()
    looking.callback(Nature("7bit", True))
    answer(stage.plays[1])
    assert kinds(found[0]) == [("done", "2.0.0")] and stage.connector.asked == 2
