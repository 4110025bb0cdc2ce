"""The certificates of a node as its journal tells them: at the start, on a SIGHUP, and when one is about to end."""

from types import SimpleNamespace

import pytest
from twisted.internet import defer
from twisted.python.threadpool import ThreadPool

from tests.certificates import DAY, certificate, new_key, pem_of
from tests.fakes import RecordingJournal
from unitymail.certificates import Certificates, complaints_of
from unitymail.settings.node import NodeSettings, TlsTable
from unitymail.tls import BadPair


class Held(ThreadPool):
    """Work of threads that waits for the test: what was begun first may end last."""

    def __init__(self):
        self.waiting = []

    def callInThreadWithCallback(self, done, function, *args, **kwargs):
        self.waiting.append(lambda: done(*_outcome(function, args, kwargs)))


def _outcome(function, args, kwargs):
    from twisted.python.failure import Failure

    try:
        return True, function(*args, **kwargs)
    except Exception:
        return False, Failure()


class Room:
    def __init__(self, folder):
        self.folder = folder
        self.make("tls", "node.example")
        self.make("names/a", "a.example")
        self.settings = NodeSettings(str(folder), tls=TlsTable(names="names"))
        self.pool = Held()
        self.journal = RecordingJournal()
        reactor = SimpleNamespace(getThreadPool=lambda: self.pool, callFromThread=lambda f, *a: f(*a))
        self.certificates = Certificates(self.settings, journal=self.journal, reactor=reactor)

    def make(self, place, name, **how):
        where = self.folder / place
        where.mkdir(parents=True, exist_ok=True)
        key = new_key()
        (where / "cert.pem").write_bytes(certificate(key, name, **how))
        (where / "key.pem").write_bytes(pem_of(key))

    def renew(self):
        return defer.ensureDeferred(self.certificates.renew())

    def step(self):
        self.pool.waiting.pop(0)()

    def told(self):
        found = [(e.args[0], *e.names, bool(e.warning)) for e in self.journal.named("certificate")]
        self.journal.events.clear()
        return found


@pytest.fixture
def room(tmp_path):
    return Room(tmp_path)


def test_what_is_in_use(room):
    """Each is told once at the start, with the warning that belongs to it."""
    room.make("names/b", "b.example", ends=5 * DAY)
    room.renew()
    room.step()
    room.certificates.tell()
    assert room.told() == [
        ("in-use", "node.example", False), ("in-use", "a.example", False), ("in-use", "b.example", True),
    ]


def test_what_changes(room):
    """After a SIGHUP only what is different is told, and who asked to know of it is called."""
    room.certificates.tell()
    room.told()
    called = []
    room.certificates.listen(lambda: called.append(1))
    room.make("tls", "node.example")
    room.make("names/c", "c.example")
    for name in ("cert.pem", "key.pem"):
        (room.folder / "names" / "a" / name).unlink()
    (room.folder / "names" / "a").rmdir()
    room.renew()
    room.step()
    assert room.told() == [
        ("renewed", "node.example", False), ("added", "c.example", False), ("removed", "a.example", False),
    ]
    assert called == [1]


def test_renewed_ones_that_cannot_be_used(room):
    """Each reason is told, nobody is called, and what was in use stays."""
    before = room.certificates.tls.pairs
    called = []
    room.certificates.listen(lambda: called.append(1))
    (room.folder / "tls" / "cert.pem").write_text("half")
    (room.folder / "names" / "a" / "key.pem").write_text("half")
    room.renew()
    room.step()
    assert [e.args[0].startswith("the renewed certificates cannot be used, so the old ones stay: ")
            for e in room.journal.named("trouble")] == [True, True]
    assert room.certificates.tls.pairs is before
    assert called == []


def test_a_process_that_tells_nothing(room):
    """Of many processes one tells what changed; trouble is told by each."""
    room.make("tls", "node.example")
    room.renew()
    room.step()
    assert room.told() == []


def test_many_signals_at_once(room):
    """A storm of them costs one reading more than one would; what is there at the last is taken, however long it is."""
    room.certificates.tell()
    room.told()
    waiting = [room.renew() for _ in range(50)]
    room.make("names/b", "b.example")
    assert len(room.pool.waiting) == 1
    room.step()
    assert room.told() == [("added", "b.example", False)]
    room.make("names/c", "c.example")
    waiting.append(room.renew())
    assert len(room.pool.waiting) == 1
    room.step()
    room.step()
    assert room.told() == [("added", "c.example", False)]
    assert room.pool.waiting == []
    assert all(each.called for each in waiting)


def test_half_a_renewal_before_the_signal(room):
    """What was wrong when nobody had said yet that all is there is no trouble."""
    room.renew()
    (room.folder / "tls" / "cert.pem").write_text("half")
    room.renew()
    room.step()
    room.make("tls", "node.example")
    room.step()
    assert room.journal.named("trouble") == []
    assert room.pool.waiting == []


def test_a_reading_that_fails_as_nobody_expected(room):
    """The next signal reads again."""
    real, room.certificates.tls.read = room.certificates.tls.read, lambda: 1 / 0
    failed = room.renew()
    room.step()
    failed.addErrback(lambda failure: failure.trap(ZeroDivisionError))
    room.certificates.tls.read = real
    room.make("tls", "node.example")
    before = room.certificates.tls.pairs
    room.renew()
    room.step()
    assert room.certificates.tls.pairs != before


def test_the_daily_look(room):
    """Only what needs something done is told again."""
    room.certificates.warn()
    assert room.told() == []
    room.make("tls", "node.example", begins=-9 * DAY, ends=-DAY)
    room.renew()
    room.step()
    room.certificates.warn()
    [event] = room.journal.named("certificate")
    assert (event.args, event.days, event.warning[:20]) == (("in-use",), -2, "it has expired on 20")


def test_before_the_start(room):
    """`--check` tells all complaints; the start does not happen with any of them."""
    assert complaints_of(room.settings) == []
    (room.folder / "names" / "d").mkdir()
    (room.folder / "tls" / "key.pem").unlink()
    assert len(complaints_of(room.settings)) == 2
    with pytest.raises(BadPair):
        Certificates(room.settings, journal=room.journal, reactor=None)


def test_half_a_renewal_when_a_process_begins(room):
    """It shows what the others of the node show, and says why."""
    (room.folder / "tls" / "key.pem").unlink()
    shown = room.certificates.tls.pairs
    again = Certificates(room.settings, journal=room.journal, reactor=None, otherwise=shown)
    assert again.tls.pairs == shown
    [trouble] = room.journal.named("trouble")
    assert trouble.args[0].startswith("certificates cannot be used, so those that others of us show are: ")
    assert trouble.args[0].endswith("tls/key.pem cannot be read: No such file or directory")
