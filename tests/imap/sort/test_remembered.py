"""What is remembered of large folders: how much, and whose."""

from array import array

from unitymail.imap.sort.remembered import OVERHEAD, WORTH_KEEPING, Known, Remembered

MANY = array("I", range(WORTH_KEEPING))


def test_the_last_answer():
    """The last result under a key is kept, and replaces the one before; nothing is kept of small folders."""
    kept = Remembered()
    assert kept.last("a") is None
    kept.keep("a", Known(MANY, "one", 100))
    kept.keep("a", Known(MANY, "two", 150))
    assert kept.last("a").result == "two"
    assert kept.octets == 150 + OVERHEAD
    kept.keep("b", Known(MANY[1:], "small", 10))
    assert kept.last("b") is None
    kept.keep("a", Known(MANY[1:], "has become small", 10))
    assert kept.last("a") is None
    assert kept.octets == 0


def test_bounded():
    """What was not asked for longest goes first; what is larger than everything together is not kept at all."""
    kept = Remembered(most=1_000 + 2 * OVERHEAD)
    for name in "abc":
        kept.keep(name, Known(MANY, name, 400))
        kept.last("a")
    assert [kept.last(name) is not None for name in "abc"] == [True, False, True]
    assert kept.octets == 800 + 2 * OVERHEAD
    kept.keep("d", Known(MANY, "d", 1_001 + 2 * OVERHEAD))
    assert kept.last("d") is None
    assert kept.last("a") is not None


def test_of_a_store():
    """Sessions of one store share; another store has its own, and takes it along when it goes."""
    class Store:
        pass

    one, other = Store(), Store()
    assert Remembered.of(one) is Remembered.of(one)
    assert Remembered.of(one) is not Remembered.of(other)
