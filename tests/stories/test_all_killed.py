"""Two workers and their parent are killed at once, in the middle of mail that stays and mail that leaves; and two
clients, each at another worker, read the same messages at the same moment."""

import os
import signal
import threading

import pytest

from tests.stories.house import until
from tests.stories.senders import Crowd
from tests.stories.sink import Sink
from tests.stories.site import letter
from tests.stories.test_workers import CHRIS, ROBIN, Crew, message, numbers, one_each, pids_of
from unitymail.courier.courier import AT_ONCE, PARTING

OUT = "terry@elsewhere.example"
EACH, SENDERS, KILLS = 90, 4, 2


@pytest.fixture
def crew(model, tmp_path):
    """A node with two workers, not started; what is for nobody here goes to `crew.relay`."""
    home = Crew.like(model, tmp_path / "node", workers=2)
    with Sink() as home.relay:
        home.run("site", "set", "smart_host.host=127.0.0.1", f"smart_host.port={home.relay.port}",
                 "smart_host.tls=none", "recipient_not_found=smart-host")
        yield home
        home.end()


def kill_all(house):
    """The parent and its workers, none of which sees another's end."""
    for pid in (house.process.pid, *pids_of(house)):
        os.kill(pid, signal.SIGKILL)
    told = house.told()
    house.kill()
    return told


def test_all_processes_are_killed_at_once(crew):
    """What got 250 is with Chris once and has left; twice at most what was under way; the queue empties by itself."""
    house, told = crew.start(), ""
    crowd = Crowd(house, EACH * SENDERS, SENDERS, [CHRIS, OUT], message)
    for _ in range(KILLS):
        crowd.begins(EACH * SENDERS // (KILLS + 1))
        crowd.alive.clear()
        told += kill_all(house)
        house.start()
        crowd.alive.set()
    acknowledged = crowd.acknowledged(120)
    assert len(acknowledged) >= EACH * SENDERS - 2 * KILLS * SENDERS
    until(lambda: house.ask("queue", "list") == [], "the queue does not empty")
    here = numbers(house.read("chris", what="BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values())
    assert set(here.values()) == {1} and acknowledged <= set(here)
    left = numbers(got.octets for got in house.relay.messages)
    assert set(left) == set(here) and max(left.values()) <= 1 + KILLS
    assert sum(left.values()) - len(left) <= KILLS * (AT_ONCE + PARTING)
    until(lambda: house.left_behind() == [], "something is left behind")
    assert "Traceback" not in told + house.told() and " trouble " not in told + house.told()


def test_two_clients_read_at_the_same_moment(crew):
    """Robin gets one receipt for each message, and the journal tells of one; neither worker is troubled."""
    house, words = crew.start(), [f"read{number:02d}x" for number in range(20)]
    for word in words:
        house.submit("robin", [CHRIS], letter("viewmail_voice", word, Disposition_Notification_To=ROBIN), sender=ROBIN)
    boxes = list(one_each(house, lambda: house.imap("chris"), lambda box: box.sock).values())
    for box in boxes:
        assert box.select("INBOX")[1] == [b"%d" % len(words)]
    together = threading.Barrier(len(boxes))

    def read(box):
        for number in range(1, len(words) + 1):
            together.wait(60)
            box.store(str(number), "+FLAGS", "(\\Seen)")

    clients = [threading.Thread(target=read, args=(box,), daemon=True) for box in boxes]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
        assert not client.is_alive()
    until(lambda: len(house.read("robin")) >= len(words), "a receipt is missing")
    house.lines.close()
    house.stop()
    house.expect_peace()
    assert house.told().count(" receipt-sent ") == len(words)
    house.start()
    receipts = [octets.decode() for octets in house.read("robin").values()]
    assert sorted(word for word in words for octets in receipts if f"<{word}@example.com>" in octets) == words
    assert len(receipts) == len(words)
