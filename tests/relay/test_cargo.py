"""A small message is read once, however often it is sent."""

from tests.fakes import InlineThreads
from tests.relay.play import LETTER, Untouched, letter
from unitymail.relay import cargo
from unitymail.relay.cargo import Cargo
from unitymail.relay.content import SMALL
from unitymail.relay.stuffing import DottedLines


class Counting(InlineThreads):
    def __init__(self):
        self.count = 0

    def run(self, function, *arguments):
        self.count += 1
        return super().run(function, *arguments)


def result(deferred):
    found = []
    deferred.addBoth(found.append)
    return found[0]


def test_read_once(tmp_path, monkeypatch):
    """By a thread where the disk may have to be waited for, and not twice."""
    monkeypatch.setattr(cargo, "whole_if_cached", lambda outgoing, form: None)
    threads = Counting()
    load = Cargo(letter(tmp_path), DottedLines, threads)
    load.fetch()
    load.fetch()
    assert result(load.whole()) == result(load.whole()) == LETTER.replace(b".Hello", b"..Hello") + b".\r\n"
    assert threads.count == 1


def test_no_thread_for_what_is_cached(tmp_path, monkeypatch):
    """What the page cache has is there at once."""
    monkeypatch.setattr(cargo, "whole_if_cached", lambda outgoing, form: b"cached")
    threads = Counting()
    assert result(Cargo(letter(tmp_path), Untouched, threads).whole()) == b"cached"
    assert threads.count == 0


def test_unreadable(tmp_path):
    """Said to whoever wants it, not to whoever only looked ahead."""
    outgoing = letter(tmp_path)
    (tmp_path / outgoing.path).unlink()
    load = Cargo(outgoing, Untouched, InlineThreads())
    load.fetch()
    assert result(load.whole()).check(FileNotFoundError)
    large = letter(tmp_path, b"x" * (SMALL + 1))
    (tmp_path / large.path).unlink()
    load = Cargo(large, Untouched, InlineThreads())
    load.fetch()
    assert not load.small and result(load.blocks()).check(FileNotFoundError)
