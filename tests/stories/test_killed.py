"""The node is killed again and again while messages come in: what got 250 is there once, and no litter stays."""

import collections
import random
import re
import smtplib
import threading

MESSAGES = 2_000
KILLS = 20
SENDERS = 4


class Sender(threading.Thread):
    """Submits its numbers; on a broken connection it waits for the node's next life and goes on with the next."""

    def __init__(self, house, numbers, alive, counted):
        super().__init__(daemon=True)
        self.house, self.numbers, self.alive, self.counted = house, numbers, alive, counted
        self.acknowledged = []

    def run(self):
        client = None
        for number in self.numbers:
            self.counted.release()
            text = f"From: robin.smith@example.com\r\nSubject: number {number}.\r\n\r\n" + "x" * 3000 + "\r\n"
            try:
                client = client or self.house.smtp("robin")
                client.sendmail("robin.smith@example.com", ["chris.jones@example.com", "robin.smith@example.com"], text)
                self.acknowledged.append(number)
            except (OSError, smtplib.SMTPException):
                client = None
                self.alive.wait(60)
        if client:
            client.close()


def test_nothing_acknowledged_is_lost_or_doubled(stopped_house):
    """At least 20 kills at random moments while 2,000 messages are sent."""
    house = stopped_house
    dice = random.Random(7)
    alive, counted = threading.Event(), threading.Semaphore(0)
    house.start()
    alive.set()
    senders = [Sender(house, range(n, MESSAGES, SENDERS), alive, counted) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    kills = 0
    while kills < KILLS:
        for _ in range(dice.randint(20, MESSAGES // KILLS - 20)):
            counted.acquire(timeout=60)
        alive.clear()
        house.kill()
        kills += 1
        house.start()
        alive.set()
    for sender in senders:
        sender.join(300)
        assert not sender.is_alive()
    house.kill()
    house.start()
    assert house.left_behind() == []
    acknowledged = {number for sender in senders for number in sender.acknowledged}
    assert len(acknowledged) > MESSAGES // 2
    for alias in ("chris", "robin"):
        texts = house.read(alias, what="BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values()
        found = collections.Counter(int(re.search(rb"number (\d+)\.", text)[1]) for text in texts)
        assert [n for n, times in found.items() if times > 1] == []
        assert acknowledged - set(found) == set()
    house.stop()
