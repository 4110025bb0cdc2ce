"""A client that composes on the server: drafts replaced, parts put together, many messages saved as one; and kills."""

import random
import re
import threading

PICTURE = bytes(range(256)) * 4_000
BINARY = b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n" + PICTURE
DRAFT = b"From: robin.smith@example.com\r\nSubject: draft %d\r\n\r\nwords so far\r\n"


class Talk:
    """Lines and octets with the IMAP door, without a library that knows no more than RFC 3501."""

    def __init__(self, house, alias):
        self.box = house.imap(alias, "imap")
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *ended):
        self.box.shutdown()

    def send(self, octets):
        self.box.send(octets)

    def say(self, *octets):
        """What came back, with the tagged response at the end."""
        self.count += 1
        tag = b"t%d" % self.count
        self.send(b"%b %b\r\n" % (tag, b"".join(octets)))
        heard = []
        while not heard or not heard[-1].startswith(tag + b" "):
            line = self.box.readline()
            if not line:
                raise EOFError
            heard.append(line)
            while announced := re.search(rb"\{(\d+)\}\r\n\Z", line):
                line = self.box.read(int(announced[1])) + self.box.readline()
                heard.append(line)
        return b"".join(heard)


def plus(octets, mark=b""):
    return b"%b{%d+}\r\n%b" % (mark, len(octets), octets)


def test_a_message_is_composed(house):
    """Saved three times over, given a picture by URL, sent off to Sent; every step is one command."""
    with Talk(house, "robin") as talk:
        assert b" OK [APPENDUID " in talk.say(b"APPEND Drafts (\\Draft) ", plus(DRAFT % 1))
        assert b" OK [APPENDUID " in talk.say(b"APPEND Archive ", plus(BINARY, b"~"))
        assert b"OK " in talk.say(b"SELECT Drafts")
        for number in (2, 3):
            heard = talk.say(b"REPLACE 1 Drafts (\\Draft \\Seen) ", plus(DRAFT % number))
            assert b" %d] Replacement message ready\r\n" % number in heard and b"* 1 EXPUNGE" in heard
        assert b'PREVIEW "words so far"' in talk.say(b"UID FETCH 3 (PREVIEW)")
        heard = talk.say(
            b"UID REPLACE 3 Sent (\\Seen) CATENATE (TEXT ",
            plus(b"Subject: done\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"),
            b" URL ;UID=3/;SECTION=TEXT TEXT ", plus(b"--b\r\n"), b" URL /Archive/;UID=1 TEXT ",
            plus(b"\r\n--b--\r\n"), b")",
        )  # fmt: skip
        assert b" 1] Replacement message ready\r\n" in heard
        assert b"* 0 EXISTS" in talk.say(b"SELECT Drafts")
        assert b"* 1 EXISTS" in talk.say(b"SELECT Sent")
        assert b"BINARY.SIZE[2] %d)" % len(PICTURE) in talk.say(b"FETCH 1 (BINARY.SIZE[2])")
        assert b"~{%d}\r\n" % len(PICTURE) + PICTURE in talk.say(b"FETCH 1 (BINARY.PEEK[2])")


def test_killed_while_many_are_saved_as_one(stopped_house):
    """Six kills while a client saves twenty messages as one: each time all of them are there, or none."""
    house = stopped_house
    dice = random.Random(8508)
    batch = 20
    told = 0
    house.run("user", "set", "robin", "--quota", "warning=1G,send=1G,receive=1G")
    house.start()
    for attempt in range(6):
        with Talk(house, "robin") as talk:
            killer = threading.Timer(dice.uniform(0.05, 0.6), house.kill)
            killer.start()
            try:
                while True:
                    messages = b" ".join(plus(DRAFT % attempt + b"x" * 2_000) for _ in range(batch))
                    assert b" OK [APPENDUID " in talk.say(b"APPEND Drafts ", messages)
                    told += batch
            except (OSError, EOFError):
                pass
            killer.join()
        house.start()
        there = len(house.read("robin", "Drafts", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
        assert there % batch == 0 and there >= told
        told = there
    assert told
    house.stop()
