"""The index: counters that never fall, combinations of flags, transactions."""

import sqlite3

import pytest

from unitymail.disk import Disk
from unitymail.interfaces.errors import Never
from unitymail.store.index import BLOCK, Index
from unitymail.store.schema import STATEMENTS, VERSION


@pytest.fixture
def opened(tmp_path):
    """Opens the index of the directory, as often as asked."""
    indexes = []

    def open_it():
        indexes.append(Index(Disk(), str(tmp_path)))
        return indexes[-1]

    yield open_it
    for index in indexes:
        index.connection.close()


def take(index, count=1):
    values = []
    for _ in range(count):
        with index.changing():
            values.append(index.next_modseq())
    return values


def test_modseq_only_grows(opened):
    """Each change has a higher MODSEQ than all before, over a clean end too, without a gap."""
    index = opened()
    assert take(index, 3) == [1, 2, 3]
    index.close()
    assert take(opened()) == [4]


def test_unclean_end_continues_at_the_next_block(opened):
    """After a crash MODSEQ goes on where no lost transaction can have been."""
    index = opened()
    assert take(index, 2) == [1, 2]
    index.connection.close()
    again = opened()
    first = take(again)[0]
    assert first > BLOCK
    again.connection.close()
    assert take(opened())[0] > first + BLOCK - 2


def test_blocks_are_reserved_durably(tmp_path):
    """The transaction that reserves a block is a durable one; the others need not be."""
    seen = []

    class Watching(Disk):
        def begin(self, connection, *, durable):
            seen.append(durable)
            super().begin(connection, durable=durable)

    index = Index(Watching(), str(tmp_path))
    seen.clear()
    take(index, BLOCK + 5)
    assert seen.count(True) == 2
    assert seen[:3] == [False, True, False]
    index.close()
    assert seen[-1] is True


def test_two_connections_share_the_counter(opened):
    """Two processes never take the same MODSEQ, also when one of them closes cleanly in between."""
    first, second = opened(), opened()
    values = take(first) + take(second) + take(first)
    second.close()
    values += take(first, 2)
    assert values == sorted(set(values))


def test_a_failed_transaction_leaves_nothing(opened):
    """Rows and combinations of a transaction that fails are gone, in memory too."""
    index = opened()
    with pytest.raises(RuntimeError), index.changing():
        number = index.number_of(frozenset({"\\Seen"}))
        raise RuntimeError
    other = opened()
    with other.changing():
        assert other.number_of(frozenset({"\\Flagged"})) == number
    with index.changing():
        assert index.number_of(frozenset({"\\Seen"})) == number + 1
    assert index.combinations[number] == frozenset({"\\Flagged"})


def test_contents_are_never_given_twice(opened):
    """Content ids grow with the clock, and grow even when it stands still or goes back."""
    index = opened()
    with index.changing():
        first = index.next_contents(3, 5.0)
        second = index.next_contents(2, 5.0)
        third = index.next_contents(1, 1.0)
        last = index.next_contents(1, 6.0)
    values = [*first, *second, *third, *last]
    assert values == sorted(set(values)) and values[0] == 5_000_000 and values[-1] == 6_000_000


def test_changes_of_others_are_noticed(opened):
    """`look_outside` gives a new number when another connection commits, and only then."""
    index, other = opened(), opened()
    before = index.look_outside()
    assert index.look_outside() == before
    take(index)
    assert index.look_outside() == before
    take(other)
    assert index.look_outside() != before


def test_newer_schema_is_refused(opened, tmp_path):
    """An index of a newer version is left alone, and the reason says so."""
    index = opened()
    index.execute(f"PRAGMA user_version = {VERSION + 1}")
    index.connection.close()
    with pytest.raises(Never, match="newer version"):
        Index(Disk(), str(tmp_path))


def test_schema_carries_what_is_to_come():
    """Everything the architecture names has its table from the first day."""
    connection = sqlite3.connect(":memory:")
    for statement in STATEMENTS:
        connection.execute(statement)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    assert tables >= {
        "folders", "messages", "summaries", "fields", "terms", "files", "facts", "expunged", "intents", "pending",
        "keywords", "counters", "undelete", "metadata", "previews", "threads", "packed", "combinations",
    }  # fmt: skip
