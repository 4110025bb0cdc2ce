"""Structures are remembered for the message they belong to, and not for too many."""

from tests.imap.memory_store import MemoryStore
from unitymail.imap.letter import MOST_PARTS, Letters, Structures
from unitymail.mail.structure import scan

ONE = b"Subject: one\r\n\r\nbody\r\n"
OTHER = b"Subject: another one\r\n\r\nbody\r\n"


def folder_with(octets, account="u"):
    store = MemoryStore()
    folder = store.account(account).folder("INBOX")
    folder.put(octets)
    return store, folder


def structure_of(store, folder, account="u", **kwargs):
    content = folder.content(1)
    return Letters(store, account, folder, **kwargs).letter(1, content).structure()


def test_once_per_message():
    """The same message is scanned once, by whichever session."""
    store, folder = folder_with(ONE)
    assert structure_of(store, folder) is structure_of(store, folder)


def test_not_another_messages():
    """A message of the same number in another store, account or folder is another message."""
    store, folder = folder_with(ONE)
    other_store, other_folder = folder_with(OTHER)
    assert structure_of(store, folder) == scan(ONE)
    assert structure_of(other_store, other_folder) == scan(OTHER)
    neighbour = store.account("v").folder("INBOX")
    neighbour.put(OTHER)
    neighbour.id = folder.id
    assert structure_of(store, neighbour, "v") == scan(OTHER)
    junk = store.account("u").folder("Junk")
    junk.put(OTHER)
    assert structure_of(store, junk) == scan(OTHER)


def test_not_remembering():
    """Who looks at everything once leaves no trace."""
    store, folder = folder_with(ONE)
    assert structure_of(store, folder, remembering=False) is not structure_of(store, folder)


def test_bounded():
    """The oldest are forgotten, and what has very many parts is not kept at all."""
    kept = Structures(2)
    first = kept.of(1, ONE)
    kept.of(2, ONE)
    assert kept.of(1, ONE) is first
    kept.of(3, ONE)
    kept.of(4, ONE)
    assert kept.of(1, ONE) is not first
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * (MOST_PARTS + 5)
    assert kept.of(5, many) is not kept.of(5, many)
