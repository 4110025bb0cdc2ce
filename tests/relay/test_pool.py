"""How many connections there are, who waits, and which are used again."""

from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from tests.fakes import InlineThreads
from tests.relay.play import FULL, HOP, Play, kinds, letter
from unitymail.relay.connecting import CannotConnect
from unitymail.relay.pool import IDLE_S, LAST_WORDS_S, MOST_MESSAGES, Pool
from unitymail.relay.trouble import Trouble


class Connector:
    """Opens connections on stages, all on one clock; fails when told to."""

    def __init__(self, *extensions):
        self.extensions = extensions or FULL
        self.clock = Clock()
        self.plays = []
        self.fail = None
        self.wait = None

    async def open(self, hop, made, ended):
        if self.wait is not None:
            await self.wait
        if self.fail is not None:
            raise CannotConnect(self.fail)
        play = Play(hop)
        play.client._clock = self.clock
        play.client._timer.cancel()
        play.client._timer = None
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
            connector=self.connector, limit=lambda: self.limit, clock=self.connector.clock, threads=InlineThreads()
        )

    @property
    def plays(self):
        return self.connector.plays

    def send(self, folder, hop=HOP):
        found = []
        self.pool.send(hop, letter(folder)).addBoth(found.append)
        return found

    def advance(self, seconds):
        self.connector.clock.advance(seconds)


def answer(play):
    play.hear("250 ok", "250 ok", "354 go")
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
    """100 messages, or as many as the server says."""
    for extensions, most in ((FULL, MOST_MESSAGES), ((*FULL, "LIMITS MAILMAX=3"), 3)):
        stage = Stage(*extensions)
        for _ in range(most):
            assert stage.plays == [] or stage.plays[0].client.usable
            stage.send(tmp_path)
            answer(stage.plays[0])
        assert not stage.plays[0].client.usable
        stage.send(tmp_path)
        assert len(stage.plays) == 2


def test_a_hop_that_was_changed(tmp_path):
    """Connections to where the hop was before are not used again."""
    stage = Stage()
    stage.send(tmp_path)
    answer(stage.plays[0])
    stage.send(tmp_path, replace(HOP, host="other.example.com"))
    assert len(stage.plays) == 2 and stage.plays[0].said().endswith("QUIT\r\n")


def test_no_connection(tmp_path):
    """The hop is down, everybody waits, and the next one may try."""
    stage = Stage()
    stage.connector.fail = Trouble("4.4.1", "It cannot be reached.")
    found = stage.send(tmp_path)
    assert kinds(found[0]) == [("try-again", "4.4.1")] and found[0].hop_down
    stage.connector.fail = None
    stage.send(tmp_path)
    assert len(stage.plays) == 1


def test_what_is_raised_frees_the_place(tmp_path):
    """A message that cannot be read holds nobody else up."""
    stage = Stage(limit=1)
    outgoing = letter(tmp_path)
    (tmp_path / outgoing.path).unlink()
    found = []
    stage.pool.send(HOP, outgoing).addBoth(found.append)
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


def test_cut_off_keeps_what_was_settled(tmp_path):
    """A recipient who was refused before we cut the connection stays refused."""
    stage = Stage()
    found = []
    outgoing = letter(tmp_path, to=("gone@example.net", "kim@example.net"))
    stage.pool.send(HOP, outgoing).addBoth(found.append)
    stage.plays[0].hear("250 ok", "550 5.1.1 no", "250 ok", "354 go")
    stage.pool.close()
    stage.advance(LAST_WORDS_S)
    stage.plays[0].lose()
    assert kinds(found[0]) == [("failed", "5.1.1"), ("later", "2.0.0")]
