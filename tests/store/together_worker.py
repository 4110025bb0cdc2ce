"""One of several processes that work on one account at once; started by test_together.

`together_worker.py writer ROOT SEED COUNT` does so many random changes; `reader ROOT` looks until told to stop, and
checks at each look what must hold: UIDs unique and ascending, MODSEQ and UIDNEXT never falling, an UID's message the
same for ever. Prints one JSON line at the end.
"""

import json
import os
import random
import sys
import threading
import time

from unitymail.disk import Disk
from unitymail.store import Store

FOLDERS = ("INBOX", "Archive", "Deleted Items")


def opened(root):
    return Store(root, disk=Disk(), now=time.time, host=f"worker{os.getpid()}")


def settle_all_the_time(store):
    """As a node does, only more often."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.05):
            store.settle()

    thread = threading.Thread(target=work)
    thread.start()
    return stop, thread


def write(root, seed, count):
    """Random changes. A message is known by its token in the Subject."""
    chance, store = random.Random(seed), opened(root)
    account = store.account("u-shared")
    folders = [account.folder(name) for name in FOLDERS]
    stop, thread = settle_all_the_time(store)
    delivered, copied = [], 0
    for number in range(count):
        folder = chance.choice(folders)
        what = chance.choices(["deliver", "store", "expunge", "copy", "move"], [30, 30, 10, 10, 20])[0]
        if what == "deliver":
            token = f"{seed}x{number}"
            octets = f"Subject: {token}\r\n\r\nbody of {token}\r\n".encode()
            source = os.path.join(root, f"source{token}")
            with open(source, "wb") as file:
                file.write(octets)
            store.deliver("u-shared", source, f"{1_700_000_000 + number}.{token}.w,S={len(octets)}")
            os.unlink(source)
            delivered.append(token)
            continue
        uids = list(folder.refresh().uids)
        some = chance.sample(uids, min(len(uids), chance.randint(0, 5)))
        if what == "store":
            folder.store(some, chance.choice(["add", "remove"]), [chance.choice(["\\Seen", "\\Flagged", "key"])])
        elif what == "expunge":
            drop(folder, some[:2])
        elif what == "copy" and chance.random() < 0.5:
            copied += len(folder.copy(some[:2], chance.choice(folders)).targets)
        elif what in ("copy", "move"):
            target = chance.choice([other for other in folders if other is not folder])
            done = folder.move(some, target)
            assert len(done.sources) == len(done.targets)
    stop.set()
    thread.join()
    store.close()
    return {"delivered": delivered, "copied": copied}


def drop(folder, uids):
    """Expunge these. The count is taken from the index at the end, for two processes may expunge one message."""
    folder.store(uids, "add", ["\\Deleted"])
    folder.expunge(uids)


def read(root):
    store = opened(root)
    account = store.account("u-shared")
    folders = [account.folder(name) for name in FOLDERS]
    last, tokens, looks = {}, {}, 0
    chance = random.Random(1)
    while not os.path.exists(os.path.join(root, "stop")):
        for folder in folders:
            snapshot = folder.refresh()
            uids = list(snapshot.uids)
            assert uids == sorted(set(uids)), "UIDs are not unique and ascending"
            assert not uids or uids[-1] < snapshot.uidnext
            validity, modseq, uidnext, known = last.get(folder.name, (snapshot.uidvalidity, 0, 0, {}))
            assert snapshot.uidvalidity == validity, "UIDVALIDITY changed"
            assert snapshot.highest_modseq >= modseq, "HIGHESTMODSEQ fell"
            assert snapshot.uidnext >= uidnext, "UIDNEXT fell"
            modseqs = dict(zip(snapshot.uids, snapshot.modseqs, strict=True))
            assert all(value >= known.get(uid, 0) for uid, value in modseqs.items()), "a MODSEQ fell"
            assert all(value <= snapshot.highest_modseq for value in modseqs.values())
            assert all(uid in known or uid >= uidnext for uid in modseqs), "a UID came late"
            last[folder.name] = (validity, snapshot.highest_modseq, snapshot.uidnext, modseqs)
            for uid in chance.sample(uids, min(len(uids), 3)):
                content = folder.content(uid)
                if content is not None:
                    subject = bytes(content.buffer[:]).split(b"\r\n")[0]
                    content.close()
                    assert tokens.setdefault((folder.name, uid), subject) == subject, "a UID names another message"
            looks += 1
    store.close()
    return {"looks": looks}


if __name__ == "__main__":
    kind, root, *rest = sys.argv[1:]
    print(json.dumps(write(root, int(rest[0]), int(rest[1])) if kind == "writer" else read(root)))
