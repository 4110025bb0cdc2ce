"""The node is killed again and again while messages come in: what got 250 is there once, and no litter stays."""

import collections
import random
import re

from tests.stories.senders import Crowd

MESSAGES = 2_000
KILLS = 20
SENDERS = 4


def text(number):
    return f"From: robin.smith@example.com\r\nSubject: number {number}.\r\n\r\n" + "x" * 3000 + "\r\n"


def test_nothing_acknowledged_is_lost_or_doubled(stopped_house):
    """At least 20 kills at random moments while 2,000 messages are sent."""
    house = stopped_house
    dice = random.Random(7)
    house.start()
    crowd = Crowd(house, MESSAGES, SENDERS, ["chris.jones@example.com", "robin.smith@example.com"], text)
    kills = 0
    while kills < KILLS:
        crowd.begins(dice.randint(20, MESSAGES // KILLS - 20))
        crowd.alive.clear()
        house.kill()
        kills += 1
        house.start()
        crowd.alive.set()
    acknowledged = crowd.acknowledged(300)
    house.kill()
    house.start()
    assert house.left_behind() == []
    assert len(acknowledged) > MESSAGES // 2
    for alias in ("chris", "robin"):
        texts = house.read(alias, what="BODY.PEEK[HEADER.FIELDS (SUBJECT)]").values()
        found = collections.Counter(int(re.search(rb"number (\d+)\.", text)[1]) for text in texts)
        assert [n for n, times in found.items() if times > 1] == []
        assert acknowledged - set(found) == set()
    house.stop()
