"""Several processes work on one account at once."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.store.house import House, flags_of, message

WORKER = Path(__file__).with_name("together_worker.py")
HERE = Path(__file__).parent.parent.parent


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, str(WORKER), *map(str, arguments)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )  # fmt: skip


def result(process, troubles):
    output, _ = process.communicate(timeout=100)
    if process.returncode:
        troubles.append(process.args[2:])
        return {}
    return json.loads(output)


def tokens(folder):
    """Token of each message, read from the rendered rows and, each, from its file."""
    found = []
    for uid, terms in folder.rows(folder.refresh().uids, ["terms"]):
        content = folder.content(uid)
        body = bytes(content.buffer[:])
        content.close()
        token = terms.split("\n")[4].lower()
        assert body == f"Subject: {token}\r\n\r\nbody of {token}\r\n".encode()
        found.append(token)
    return found


def test_two_write_and_one_reads(tmp_path):
    """Two processes do 2,000 random deliveries, STOREs, EXPUNGEs, COPYs and MOVEs at once while a third reads: UIDs
    unique and ascending, MODSEQ never falls, no message doubled or lost, all views agree at the end."""
    house = House(tmp_path)
    root = house.root
    house.store.account("u-shared").close()
    reader = start("reader", root)
    writers = [start("writer", root, seed, 1000) for seed in (1, 2)]
    troubles = []
    done = [result(writer, troubles) for writer in writers]
    Path(root, "stop").touch()
    looks = result(reader, troubles)
    assert troubles == []
    assert looks["looks"] > 10
    account = house.store.account("u-shared")
    folders = [account.folder(info.name) for info in account.folders()]
    present = Counter(token for folder in folders for token in tokens(folder))
    delivered = [token for one in done for token in one["delivered"]]
    with account.access.using() as index:
        expunged = index.one("SELECT count(*) FROM expunged WHERE kind = 0")[0]
        assert index.one("SELECT count(*) FROM expunged WHERE kind = 2")[0] == 0
        assert index.all("SELECT * FROM intents") == []
    assert len(delivered) == len(set(delivered)) > 400
    assert set(present) <= set(delivered)
    assert present.total() == len(delivered) + sum(one["copied"] for one in done) - expunged
    views = [flags_of(folder) for folder in folders]
    house.store.settle()
    files = sum(len(os.listdir(os.path.join(folder.path, b"cur"))) for folder in folders)
    assert files == present.total()
    assert not any(os.listdir(os.path.join(folder.path, b"new")) for folder in folders)
    assert os.listdir(os.path.join(account.path, b"tmp")) == []
    house.reopen()
    again = house.store.account("u-shared")
    assert [flags_of(again.folder(folder.name)) for folder in folders] == views
    house.close()


def test_processes_are_killed_at_random(tmp_path):
    """Three processes change one account in every way, folders too, and are killed again and again: nothing is lost or
    doubled, and who follows by MODSEQ from yet another process never misses a change."""
    house = House(tmp_path)
    root, chance = house.root, random.Random(5)
    house.store.account("u-shared").close()
    watching = [start("reader", root), start("client", root)]
    victims = [start("victim", root, seed) for seed in range(3)]
    said = []
    for seed in range(3, 21):
        at = chance.randrange(3)
        said += [tuple(victims[at].stdout.readline().split()) for _ in range(chance.randrange(1, 40))]
        victims[at].send_signal(signal.SIGKILL)
        said += heard(victims[at])
        victims[at] = start("victim", root, seed)
    for victim in victims:
        victim.send_signal(signal.SIGKILL)
        said += heard(victim)
    Path(root, "stop").touch()
    troubles = []
    looks = [result(process, troubles)["looks"] for process in watching]
    assert troubles == []
    assert min(looks) > 20
    put = [token for word, token in said if word == "put"]
    assert len(put) > 200
    assert any(word == "renamed" for word, _ in said)
    account = house.store.account("u-shared")
    folders = [account.folder(info.name) for info in account.folders() if info.selectable]
    present = Counter(token for folder in folders for token in tokens(folder))
    assert max(present.values()) == 1
    with account.access.using() as index:
        expunged = index.one("SELECT count(*) FROM expunged WHERE kind = 0")[0]
        assert index.one("SELECT count(*) FROM expunged WHERE kind = 2")[0] == 0
        assert index.all("SELECT * FROM intents") == []
    assert len(put) <= present.total() + expunged <= len(put) + 21
    house.store.settle()
    files = sum(len(os.listdir(os.path.join(folder.path, b"cur"))) for folder in folders)
    assert files == present.total()
    house.close()


def test_each_message_is_recent_once(tmp_path):
    """Two processes ask for what is new again and again while a third delivers: no message is \\Recent for two of them,
    none for nobody."""
    house = House(tmp_path)
    house.store.account("u-shared").close()
    claiming = [start("claimer", house.root) for _ in range(2)]
    for number in range(200):
        house.store.deliver("u-shared", house.write(message(number)), f"17000{number:05}.t{number}.h")
    Path(house.root, "stop").touch()
    troubles = []
    claimed = [uid for process in claiming for uid in result(process, troubles)]
    assert (sorted(claimed), troubles) == (list(range(1, 201)), [])
    house.close()


def heard(process):
    """What it said, up to the line that it was killed in."""
    with process.stdout:
        output = process.stdout.read()
    assert process.wait() == -signal.SIGKILL
    return [tuple(line.split()) for line in output.splitlines(keepends=True) if line.endswith("\n")]
