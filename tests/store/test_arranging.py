"""What SORT and THREAD compare is worked out once and kept; a message's thread is settled for good."""

import os
import sqlite3
from array import array

import pytest

from unitymail.disk import Disk
from unitymail.store import arranging, schema, upkeep
from unitymail.store.index import Index

SORT_COLUMNS = ["subject", "from", "to", "cc", "displayfrom", "displayto"]


def mail(subject="", id="", *references):
    fields = [("Subject", subject), ("Message-ID", id and f"<{id}@x>"), ("From", "Robin <r@x>"),
              ("References", "\r\n ".join(f"<{one}@x>" for one in references))]
    return "".join(f"{name}: {value}\r\n" for name, value in fields if value).encode() + b"\r\nHello\r\n"


def put(house, octets, folder="INBOX"):
    return house.append(house.account.folder(folder), octets=octets)


def threads(house, folder="INBOX", uids=range(1, 100)):
    return [row[1] for row in house.account.folder(folder).rows(list(uids), ["threadid"])]


def count(house, table):
    with house.account.access.using() as index:
        return index.one(f"SELECT count(*) FROM {table}")[0]


def test_sort_columns(house):
    """Rows come for any columns at once, ready to compare; what is missing is the empty string."""
    put(house, mail("Re: [x] Lunch"))
    put(house, b"\r\nno header\r\n")
    assert house.inbox.rows([1, 2], ["size", *SORT_COLUMNS, "date"])[0][2:8] == ("LUNCH", "R", "", "", "ROBIN", "")
    assert [row[0] for row in house.inbox.rows([2, 9], SORT_COLUMNS)] == [2]
    assert house.inbox.rows([2], SORT_COLUMNS)[0][1:] == ("",) * 6


def test_kept_and_shared(house, monkeypatch):
    """Nothing is worked out twice: not for the next question, not for a copy, not after a restart."""
    put(house, mail("a", "1"))
    house.inbox.rows([1], ["subject", "ties"])
    house.inbox.copy([1], house.account.folder("Archive"))
    for name in ("sort_terms", "ties"):
        monkeypatch.setattr(arranging, name, None)
    house.reopen()
    assert house.account.folder("Archive").rows([1], ["subject"]) == [(1, "A")]
    assert len(array("Q", house.inbox.rows([1], ["ties"])[0][1])) == 2


def test_header_fields_suffice(house):
    """Of messages that clients have listed before no file is read again."""
    for number in range(5):
        put(house, mail(f"s{number}", str(number)))
    house.inbox.rows(range(1, 6), ["envelope"])
    for name in house.files()["cur"]:
        os.unlink(house.path("cur", name))
    assert [row[1] for row in house.inbox.rows(range(1, 6), ["subject"])] == [f"S{number}" for number in range(5)]
    assert len(house.inbox.rows(range(1, 6), ["ties", "threadid"])) == 5


def test_threads(house):
    """An answer is in the thread of what it answers, whatever folder that is in; other messages are not."""
    put(house, mail("lunch", "1"))
    put(house, mail("Re: lunch", "2", "1"), "Sent")
    put(house, mail("RE: lunch", "3", "1", "2"))
    put(house, mail("lunch", "4"))
    one, three, four = threads(house)
    assert one == three == threads(house, "Sent")[0]
    assert four != one
    assert one.startswith("T") and one.isalnum()


def test_missing_message(house):
    """Answers to a message that nobody has are one thread."""
    put(house, mail("Re: lunch", "2", "1"))
    put(house, mail("Re: lunch", "3", "1"))
    assert len(set(threads(house))) == 1


def test_new_subject(house):
    """An answer under a new subject begins a thread, and its own answers belong to that."""
    put(house, mail("lunch", "1"))
    put(house, mail("dinner (was: lunch)", "2", "1"))
    put(house, mail("Re: dinner (was: lunch)", "3", "1", "2"))
    one, two, three = threads(house)
    assert one != two == three


def test_without_ids(house):
    """Messages without message ids are threads of their own."""
    put(house, mail("lunch"))
    put(house, mail("lunch"))
    assert len(set(threads(house))) == 2


def test_for_good(house):
    """A thread stays the same: asked again, moved, copied, after a restart and after a reindex."""
    put(house, mail("lunch", "1"))
    put(house, mail("Re: lunch", "2", "1"))
    before = threads(house)
    house.inbox.copy([1], house.account.folder("Archive"))
    house.inbox.move([1], house.account.folder("Junk"))
    house.account.reindex()
    house.reopen()
    assert threads(house) + threads(house, "Archive") + threads(house, "Junk") == [before[0]] * 3


def test_two_threads_stay_two(house):
    """A message that turns out to join two threads goes to the older one; nobody's thread changes."""
    put(house, mail("x", "1"))
    put(house, mail("Re: x", "3", "2"))
    one, two = threads(house)
    assert one != two
    put(house, mail("Re: x", "4", "1", "2"))
    assert threads(house) == [one, two, one]


def test_asked_in_any_order(house):
    """The newest alone settles only itself; those asked about later join it, also by way of each other."""
    for number in range(4):
        put(house, mail("Re: x", str(number), *([str(number - 1)] if number else [])))
    newest = threads(house, uids=[4])
    assert count(house, "threads") == 1
    assert set(threads(house, uids=[3])) == set(newest)
    assert threads(house) == newest * 4


def test_durable(house):
    """What a client was told of a thread survives a loss of power; sort strings need not."""
    class Watching(Disk):
        kinds: list[bool] = []

        def begin(self, connection, *, durable):
            self.kinds.append(durable)
            super().begin(connection, durable=durable)

    put(house, mail("lunch", "1"))
    house.store.close()
    house.store = house.open(Watching())
    house.inbox.rows([1], ["envelope"])
    Watching.kinds.clear()
    house.inbox.rows([1], ["subject"])
    assert Watching.kinds and not any(Watching.kinds)
    house.inbox.rows([1], ["threadid"])
    assert Watching.kinds[-1] is True


def test_forgotten_with_the_message(house):
    """When the last copy has gone, so has everything; ids of threads without messages go in the daily upkeep."""
    upkeep.settle(house.account)
    put(house, mail("lunch", "1"))
    put(house, mail("dinner", "2"))
    house.inbox.rows([1, 2], ["subject", "ties", "threadid"])
    house.inbox.store([1], "add", ["\\Deleted"])
    house.inbox.expunge()
    house.account.settle()
    assert [count(house, table) for table in ("sorting", "ties", "threads", "thread_of_tie")] == [1, 1, 1, 2]
    house.now.ahead += 10 * 86_400
    upkeep.settle(house.account)
    assert count(house, "thread_of_tie") == 1


def test_many_at_once(house):
    """Hundreds of messages at once, in batches, are each settled once and rightly."""
    for number in range(250):
        put(house, mail(f"Re: s{number % 3}", str(number), *([str(number - 3)] if number > 2 else [])))
    found = threads(house, uids=range(1, 251))
    assert len(found) == 250
    assert len(set(found)) == 3
    assert found[:3] * 83 == found[:249]


@pytest.mark.parametrize("octets", [
    b"Subject: Re: lunch\nMessage-ID: <2@x>\nReferences: <1@x>\n\nx\n",
    b"Subject: RE: =?utf-7?Q?lunch?=\r\nIn-Reply-To: <1@x>\r\n\r\n",
])
def test_foreign_files(house, octets):
    """Files that other programs left are arranged like others, whatever their line ends."""
    put(house, mail("lunch", "1"))
    with open(house.path("new", "1700000000.M1P1.elsewhere"), "wb") as file:
        file.write(octets)
    house.inbox.refresh()
    assert house.inbox.rows([2], ["subject", "size"])[0][1] == "LUNCH"
    assert len(set(threads(house))) == 1


def test_an_index_of_the_version_before(house):
    """It is upgraded when it is opened, and everything is worked out when it is asked for."""
    put(house, mail("lunch", "1"))
    house.store.close()
    connection = sqlite3.connect(house.path("unitymail.index"))
    for table in ("sorting", "ties", "thread_of_tie"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    index = Index(house.disk, house.path())
    assert index.one("PRAGMA user_version")[0] == schema.VERSION
    index.close()
    house.store = house.open()
    assert house.inbox.rows([1], ["subject", "from"]) == [(1, "LUNCH", "R")]
    assert len(threads(house)) == 1
