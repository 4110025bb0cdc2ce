"""Several hands at one full-text index: other processes that fill, search and rule, and a class that changes."""

import asyncio
import threading

import pytest

from tests.store.house import Class, House, message
from unitymail.imap.letter import Letters
from unitymail.imap.search import evaluate, mask
from unitymail.imap.search.grammar import criteria
from unitymail.imap.view import View
from unitymail.imap.wire.lexer import Reader
from unitymail.people.class_of_service import ImapBodies
from unitymail.policy.withholding import Withholding
from unitymail.store.fulltext import filling
from unitymail.store.fulltext.catalogue import Catalogue
from unitymail.store.fulltext.filling import fill

ONLY_HEADERS = Withholding(ImapBodies.HEADERS, secure=True)


class Process:
    """One of the processes that serve the account."""

    def __init__(self, tmp_path):
        self.cos = Class()
        self.house = House(tmp_path, withholder=self.cos)

    @property
    def inbox(self):
        return self.house.inbox

    def view(self):
        return View(self.inbox.refresh())

    def found(self, view, text, folder=None):
        """The UIDs of a client's view that match."""
        folder = folder or self.inbox

        async def run(function, *args):
            return function(*args)

        letters = Letters(self.house.store, self.house.account.id, folder)
        tree = criteria(Reader([text.encode()]))
        return mask.chosen(asyncio.run(evaluate.search(tree, view, folder, run, letters)), view.uids)

    def fill(self):
        self.house.account.full_text.asked = True
        while fill(self.house.account):
            pass


@pytest.fixture
def processes(tmp_path):
    made = [Process(tmp_path), Process(tmp_path)]
    yield made
    for one in made:
        one.house.close()


def test_a_class_that_changed_a_moment_ago(processes):
    """The index does not tell what is withheld by now, although it was filled before."""
    one, _ = processes
    one.house.deliver(octets=message(body=b"secret words\r\n"))
    view = one.view()
    one.fill()
    assert one.found(view, "BODY secret") == [1]
    one.cos.is_now(ONLY_HEADERS)
    assert one.found(view, "BODY secret") == []
    assert one.found(view, "NOT BODY lunch") == []


def test_a_class_that_another_process_put_in_force(processes):
    """A process that has not looked at the folder since does not answer from what it knew of it."""
    one, other = processes
    one.house.deliver(octets=message(body=b"secret words\r\n"))
    view = one.view()
    one.fill()
    assert one.found(view, "BODY secret") == [1]
    other.cos.is_now(ONLY_HEADERS)
    other.inbox.refresh()
    assert one.found(view, "BODY secret") == []
    one.cos.is_now(ONLY_HEADERS)
    assert one.found(view, "BODY secret") == []
    assert one.found(view, "NOT BODY lunch") == []
    one.fill()
    assert one.found(one.view(), "BODY secret") == []


def test_one_fills_while_another_searches(processes):
    """Whatever the other has put in, an answer is right."""
    one, other = processes
    for number in range(60):
        body = b"lunch\r\n" if number % 3 else b"dinner\r\n"
        one.house.append(one.inbox, octets=message(number, body))
    views = [process.view() for process in processes]
    expected = [uid for uid in views[0].uids if (uid - 1) % 3]
    other.house.account.full_text.asked = True
    filling = threading.Thread(target=other.fill)
    filling.start()
    answers = []
    while filling.is_alive() or len(answers) < 3:
        answers.append(one.found(views[0], "BODY lunch"))
    filling.join()
    assert all(answer == expected for answer in answers)
    assert one.found(views[0], "NOT BODY lunch") == [uid for uid in views[0].uids if uid not in expected]


def test_both_fill(processes):
    """Two processes that read the same messages hold each once, and what one clears away the other reads again."""
    one, other = processes
    for number in range(30):
        one.house.append(one.inbox, octets=message(number, b"lunch %d\r\n" % number))
    threads = [threading.Thread(target=process.fill) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.house.account.full_text._catalogue.held().contents) == 30
    assert other.found(other.view(), "BODY lunch") == list(range(1, 31))


def test_another_threw_it_away(processes):
    """The index is gone under a process that has it open: its messages are read, and another begins."""
    one, other = processes
    one.house.deliver(octets=message(body=b"lunch\r\n"))
    view = one.view()
    one.fill()
    other.house.account.full_text.forget()
    assert one.found(view, "BODY lunch") == [1]
    one.house.append(one.inbox, octets=message(2, b"lunch again\r\n"))
    one.fill()
    assert other.found(other.view(), "BODY lunch") == [1, 2]


def test_brought_back(processes):
    """A message that was expunged, cleared away and brought back is found."""
    one, _ = processes
    one.house.append(one.inbox, ["\\Deleted"], octets=message(body=b"lunch\r\n"))
    one.fill()
    one.inbox.expunge()
    one.house.now.ahead += 3600
    one.fill()
    assert one.found(one.view(), "BODY lunch") == []
    assert one.house.account.undelete([entry.id for entry in one.house.account.deleted()]) == 1
    for process in processes:
        assert len(process.found(process.view(), "BODY lunch")) == 1
        process.fill()
        assert len(process.found(process.view(), "BODY lunch")) == 1


def test_put_in_by_half(processes):
    """What another process has not put in for good, and never will because it is killed, counts for nobody."""
    one, other = processes
    one.house.deliver(octets=message(body=b"lunch\r\n"))
    view = one.view()
    one.fill()
    one.house.append(one.inbox, octets=message(2, b"lunch again\r\n"))
    catalogue = one.house.account.full_text._catalogue
    with catalogue._open() as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM texts")
        connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
        assert other.found(view, "BODY lunch") == [1]
        connection.close()
    catalogue._connection = None
    other.fill()
    assert other.found(other.view(), "BODY lunch") == [1, 2]


def test_another_took_it_out(processes):
    """What another process took out of the index is read, by a process that knew that it was held."""
    one, other = processes
    one.house.deliver(octets=message(body=b"lunch\r\n"))
    view = one.view()
    one.fill()
    assert other.found(view, "BODY lunch") == [1]
    full_text = one.house.account.full_text
    full_text.remove(list(full_text._catalogue.held().contents))
    assert other.found(view, "BODY lunch") == [1]


def test_another_puts_in_what_came_a_moment_ago(processes, monkeypatch):
    """Who clears away does not take out what came, and was put in by others, after it had looked what there is."""
    one, other = processes
    one.house.append(one.inbox, ["\\Deleted"], octets=message(body=b"lunch\r\n"))
    one.fill()
    one.inbox.expunge()
    one.house.now.ahead += 3600
    contents = filling._contents

    def then_another_came(account, *args):
        there = contents(account, *args)
        monkeypatch.setattr(filling, "_contents", contents)
        other.house.append(other.inbox, octets=message(2, b"lunch again\r\n"))
        other.fill()
        return there

    monkeypatch.setattr(filling, "_contents", then_another_came)
    fill(one.house.account)
    assert len(one.house.account.full_text._catalogue.held().contents) == 1
    assert one.found(one.view(), "BODY lunch") == [2]


def test_another_takes_out_while_it_is_asked(processes, monkeypatch):
    """What is held and what matches are told of one moment: nothing that is there counts as a message without it."""
    one, other = processes
    one.house.deliver(octets=message(body=b"lunch\r\n"))
    view = one.view()
    one.fill()
    catalogue, held_now = other.house.account.full_text._catalogue, Catalogue._held_now

    def then_it_goes(self, connection):
        held = held_now(self, connection)
        if self is catalogue:
            full_text = one.house.account.full_text
            full_text.remove(list(full_text._catalogue.held().contents))
        return held

    monkeypatch.setattr(Catalogue, "_held_now", then_it_goes)
    assert other.found(view, "BODY lunch") == [1]
