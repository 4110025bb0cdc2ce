"""A day of IMAPClient: a Python program with a cache that it brings up to date by CONDSTORE, and a watcher in IDLE."""

import contextlib
import datetime

import pytest

from tests.stories.copies import copy_of
from tests.stories.house import PATIENCE_S, needs_module, no_check

LONG_AGO = datetime.datetime(2026, 11, 6, 9, 0)


class Cache:
    """`messages` of one folder by UID: (flags, octets)."""

    def __init__(self, folder):
        self.folder = folder
        self.uidvalidity = self.modseq = None
        self.messages = {}

    def refresh(self, client):
        """What is new, what has other flags since the last time, and what is gone."""
        opened = client.select_folder(self.folder)
        assert self.uidvalidity in (None, opened[b"UIDVALIDITY"])
        there = client.search("ALL")
        self.messages = {uid: self.messages[uid] for uid in there if uid in self.messages}
        new = [uid for uid in there if uid not in self.messages]
        since = [f"CHANGEDSINCE {self.modseq}"] if self.modseq else None
        for uid, items in (client.fetch(there, ["FLAGS"], since) if there else {}).items():
            self.messages[uid] = (items[b"FLAGS"], self.messages.get(uid, (None, None))[1])
        for uid, items in (client.fetch(new, ["FLAGS", "BODY.PEEK[]"]) if new else {}).items():
            self.messages[uid] = (items[b"FLAGS"], items[b"BODY[]"])
        self.uidvalidity, self.modseq = opened[b"UIDVALIDITY"], opened[b"HIGHESTMODSEQ"]
        return self

    def copies(self):
        return [copy_of(self.folder, {flag.decode() for flag in flags}, octets)
                for flags, octets in self.messages.values()]  # fmt: skip

    def uids(self, words):
        found = {copy_of("", (), octets).word: uid for uid, (_, octets) in self.messages.items()}
        return [found[word] for word in words]


def connected(house, alias, *, starttls=False):
    imapclient = needs_module("imapclient", "IMAPClient")
    if starttls:
        client = imapclient.IMAPClient("localhost", house.ports["imap"], ssl=False, timeout=PATIENCE_S)
        client.starttls(no_check())
    else:
        client = imapclient.IMAPClient("localhost", house.ports["imaps"], ssl_context=no_check(), timeout=PATIENCE_S)
    client.login(alias, house.passwords[alias])
    return client


@contextlib.contextmanager
def idling(watcher):
    """INBOX in IDLE; gives what waits until a response of this kind has come, and then that one."""

    def told(kind):
        while True:
            for response in watcher.idle_check(PATIENCE_S) or pytest.fail(f"no {kind} in IDLE"):
                if kind in response:
                    return response

    watcher.select_folder("INBOX")
    watcher.idle()
    yield told
    watcher.idle_done()


def put_in(day, client):
    """Four messages at once into one folder; one into another."""
    letters = [day.letter() for _ in range(5)]
    answer = client.multiappend("Größe", [
        {"msg": letters[0][1], "flags": [b"\\Seen", b"$Urgent"], "date": LONG_AGO}, letters[1][1],
        {"msg": letters[2][1], "date": LONG_AGO}, letters[3][1],
    ])  # fmt: skip
    assert b"APPENDUID" in answer[1][-1]
    day.put(*letters[0], "Größe", "\\Seen", "$Urgent")
    for letter in letters[1:4]:
        day.put(*letter, "Größe")
    client.append("Archive", letters[4][1], [b"\\Flagged"], LONG_AGO)
    day.put(*letters[4], "Archive", "\\Flagged")


def asked(day, client, inbox, first):
    """Searches, orders and threads of the messages that are flagged, and what else can be asked."""
    client.select_folder("INBOX")
    flagged = sorted(inbox.uids(first[:4]))
    assert sorted(client.search(["FLAGGED", "NOT", "DELETED"])) == flagged
    assert client.search(["SUBJECT", first[0]]) == [inbox.uids(first[:1])[0]]
    known = max(inbox.messages)
    assert client.search(["UID", f"1:{known}", "BODY", "Köln"], "UTF-8") == [
        uid for uid, (_, octets) in sorted(inbox.messages.items()) if "Grüße aus Köln".encode() in octets
    ]
    ordered = client.sort(["REVERSE SIZE"], ["FLAGGED"])
    sizes = [len(inbox.messages[uid][1]) for uid in ordered]
    assert (sorted(ordered), sizes) == (flagged, sorted(sizes, reverse=True))
    assert sorted(uid for thread in client.thread("REFERENCES", ["FLAGGED"]) for uid in thread) == flagged
    assert [uid for uid in client.search(["MODSEQ", inbox.modseq + 1]) if uid <= known] == flagged
    assert client.find_special_folder(b"\\Trash") == "Deleted Items"
    [_, [storage, messages]] = client.get_quota_root("INBOX")
    assert (storage.resource, messages.resource) == ("STORAGE", "MESSAGE")
    assert client.folder_status("INBOX", ["MESSAGES", "SIZE"])[b"SIZE"] > 0


@pytest.mark.parametrize("day", [2], indirect=True)
def test_a_day(day):
    """Two connections to a node of two processes: one works, the other is told in IDLE; the cache is right."""
    needs_module("imapclient", "IMAPClient")
    caches = {name: Cache(name) for name in ("INBOX", "Größe", "Archive")}
    first = day.more(20)
    with connected(day.house, day.alias) as client, connected(day.house, day.alias, starttls=True) as watcher:
        assert client.id_({"name": "story"})[0][:2] == (b"name", b"unitymail")
        client.enable("CONDSTORE")
        for folder in ("Größe", "Short"):
            client.create_folder(folder)
            client.subscribe_folder(folder)
        assert {name for _, _, name in client.list_sub_folders()} >= {"Größe", "Short"}
        inbox = caches["INBOX"].refresh(client)
        with idling(watcher) as told:
            assert told(b"EXISTS")
            client.add_flags(inbox.uids(first[:4]), [b"\\Flagged", b"$Urgent"])
            assert b"$Urgent" in told(b"FETCH")[2][1]
            client.delete_messages(inbox.uids(first[4:6]))
            client.uid_expunge(inbox.uids(first[4:6]))
            assert told(b"EXPUNGE")
        day.flagged(first[:4], "\\Flagged", "$Urgent")
        day.gone(first[4:6])
        asked(day, client, inbox, first)
        put_in(day, client)

        # The one moves and renames, the other goes on in the same folder.
        watcher.set_flags(inbox.uids(first[6:9]), [b"\\Answered"])
        client.set_flags(inbox.uids(first[9:10]), [b"\\Seen"], silent=True)
        day.flagged(first[6:9], "\\Answered")
        day.flagged(first[9:10], "\\Seen")
        client.move(inbox.uids(first[6:8]), "Größe")
        day.moved(first[6:8], "Größe")
        client.copy(inbox.uids(first[:2]), "Archive")
        day.copied(first[:2], "Archive")
        client.copy(inbox.uids(first[:2]), "Short")
        for cache in caches.values():
            cache.refresh(client)
        watcher.rename_folder("Größe", "Projects/Größe")
        day.renamed("Größe", "Projects/Größe")
        caches["Größe"].folder = "Projects/Größe"
        client.unselect_folder()
        client.delete_folder("Short")
        day.more(10)

        day.evening()
        near = [copy for cache in caches.values() for copy in cache.refresh(client).copies()]
        assert {"Projects/Größe"} <= day.compare(near) - {"Größe", "Short"}
