"""One of several processes that work on one account at once; started by test_together.

`together_worker.py writer ROOT SEED COUNT` does so many random changes; `reader ROOT` looks until told to stop, and
checks at each look what must hold: UIDs unique and ascending, MODSEQ and UIDNEXT never falling, an UID's message the
same for ever. `client ROOT` looks as well, and keeps a copy of each folder as a client does that asks only for what
changed since the HIGHESTMODSEQ it knows (CONDSTORE, QRESYNC). These print one JSON line at the end. `victim ROOT SEED`
changes until it is killed, folders as well, and says each message that it has put in, and each rename, on a line.
"""

import itertools
import json
import os
import random
import sys
import threading
import time

from unitymail.disk import Disk
from unitymail.interfaces.store import FolderExists, NoSuchFolder
from unitymail.store import Store

FOLDERS = ("INBOX", "Archive", "Deleted Items")
ROVING = ("Work/A", "Work/B", "Play")
"""Names that one folder has in turn."""


def opened(root):
    return Store(root, disk=Disk(), now=time.time, host=f"worker{os.getpid()}")


def settle_all_the_time(store):
    """As a node does, only more often."""
    stop = threading.Event()

    def work():
        while not stop.wait(0.05):
            store.settle()

    thread = threading.Thread(target=work, daemon=True)  # a process that fails ends
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


def say(*words):
    os.write(1, (" ".join(words) + "\n").encode())


def suffer(root, seed):
    """Until it is killed. Nothing is copied, so no token may be there twice."""
    chance, store = random.Random(seed), opened(root)
    settle_all_the_time(store)
    account = store.account("u-shared")
    for number in itertools.count():
        token = f"{seed}x{number}"
        octets = f"Subject: {token}\r\n\r\nbody of {token}\r\n".encode()
        try:
            folder = account.folder(chance.choice(folder_names(account)))
            suffer_one(chance, store, account, folder, token, octets)
        except (NoSuchFolder, FolderExists):
            continue  # another process was quicker


def folder_names(account):
    """But for those about to be deleted, with all that is in them."""
    return [info.name for info in account.folders() if info.selectable and not info.name.startswith("Empty")]


def suffer_one(chance, store, account, folder, token, octets):
    what = chance.choices(["deliver", "append", "store", "expunge", "move", "folders"], [20, 15, 25, 5, 25, 10])[0]
    if what == "deliver":
        source = os.path.join(store.root, f"source{token}")
        with open(source, "wb") as file:
            file.write(octets)
        store.deliver("u-shared", source, f"1700000000.{token}.w,S={len(octets)}")
        os.unlink(source)
        say("put", token)
    elif what == "append":
        fd, path = account.new_file()
        os.write(fd, octets)
        os.fsync(fd)
        os.close(fd)
        folder.append(path, ["\\Flagged"], None)
        say("put", token)
    elif what == "folders":
        change_folders(chance, account, token)
    else:
        uids = list(folder.refresh().uids)
        some = chance.sample(uids, min(len(uids), chance.randint(0, 5)))
        if what == "store":
            folder.store(some, chance.choice(["add", "remove"]), [chance.choice(["\\Seen", "\\Flagged", "key"])])
        elif what == "expunge":
            drop(folder, some[:1])
        else:
            others = [name for name in folder_names(account) if name != folder.name]
            folder.move(some, account.folder(chance.choice(others)))


def change_folders(chance, account, token):
    names = folder_names(account)
    here = [name for name in ROVING if name in names]
    if not here:
        account.create(ROVING[0])
    elif chance.random() < 0.7:
        account.rename(here[0], chance.choice([name for name in ROVING if name != here[0]]))
        say("renamed", token)
    else:
        account.create(f"Empty{token}")
        account.delete(f"Empty{token}")


def follow(root):
    """A copy of each folder, by what changed alone; it must always be the folder."""
    store, looks = opened(root), 0
    copies = {}
    while not os.path.exists(os.path.join(root, "stop")):
        account = store.account("u-shared")
        for name in FOLDERS:
            folder = account.folder(name)
            validity, copy, since = copies.get(name, (0, {}, 0))
            snapshot = folder.refresh()
            assert snapshot.uidvalidity == validity or not validity, "UIDVALIDITY changed"
            having = snapshot.combinations
            now = {
                uid: (sorted(having[number]), modseq)
                for uid, number, modseq in zip(snapshot.uids, snapshot.flags, snapshot.modseqs, strict=True)
            }
            copy.update((uid, flags) for uid, (flags, modseq) in now.items() if modseq > since)
            for uid in folder.vanished_since(since) if since else []:
                if uid not in now:
                    copy.pop(uid, None)
            wanted = {uid: flags for uid, (flags, _) in now.items()}
            assert copy == wanted, ("a change was missed", name, since, snapshot.highest_modseq)
            copies[name] = snapshot.uidvalidity, copy, snapshot.highest_modseq
        looks += 1
        if looks % 20 == 0:  # as a process that begins anew
            store.close()
            store = opened(root)
    store.close()
    return {"looks": looks}


def claim(root):
    """The UIDs that this process was told are \\Recent, until it is told to stop and nothing is left."""
    store, claimed = opened(root), []
    inbox = store.account("u-shared").folder("INBOX")
    going = True
    while going:
        going = not os.path.exists(os.path.join(root, "stop"))
        inbox.refresh()
        first, last = inbox.claim_recent()
        claimed += range(first, last + 1)
    store.close()
    return claimed


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
    if kind == "victim":
        suffer(root, int(rest[0]))
    looks = {"reader": read, "client": follow, "claimer": claim}
    print(json.dumps(looks[kind](root) if kind in looks else write(root, *map(int, rest))))
