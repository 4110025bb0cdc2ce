"""A server in memory that does as RFC 5321 says, and fails at any moment as chance wants; it remembers what it took."""

import re

CLOSING = "421 4.3.2 bye"
LOST = None


class Moods:
    """How often a server fails, in what way, and how much it takes; all by one seed."""

    def __init__(self, chance):
        self.chance = chance
        self.closing = chance.choice([0, 0, 0.01, 0.05])
        self.lost = chance.choice([0, 0, 0.01, 0.05])
        self.refusing = chance.choice([0, 0.1, 0.3])
        self.closes_after_a_message = chance.choice([0, 0, 0.3, 1])
        self.stays_open = chance.random() < 0.5
        self.minds_haste = chance.random() < 0.2
        self.most_recipients = chance.choice([1, 2, 100])
        self.extensions = ["8BITMIME", *(each for each in ("PIPELINING", "CHUNKING") if chance.random() < 0.6)]

    def answer(self, usual):
        number = self.chance.random()
        for chance, other in (
            (self.closing, CLOSING), (self.lost, LOST),
            (self.refusing, self.chance.choice(["451 4.3.0 later", "550 5.7.1 no"])),
        ):
            if number < chance:
                return other
            number -= chance
        return usual


class Server:
    """One connection: `feed` it what the client says; `out` is what it says, `ends` when it says no more.

    `took` is called with the sender, the recipients and the octets of each message that it accepts.
    """

    def __init__(self, moods, took):
        self.moods = moods
        self.took = took
        self.out = b""
        self.ends = False
        self._in = b""
        self._sender = None
        self._recipients = []
        self._chunks = b""
        self._take = self._take_line
        self._unanswered_end = False

    def feed(self, octets):
        self._in += octets
        self._unanswered_end = False
        while self._in and not self.ends and self._take():
            pass

    def _say(self, line):
        self.ends = self.ends or line in (CLOSING, LOST)
        self.out += b"" if line is LOST else line.encode() + b"\r\n"

    def _take_line(self):
        line, end, rest = self._in.partition(b"\r\n")
        if end:
            self._in = rest
            verb = re.split("[ :]", line.decode())[0].lower()
            getattr(self, f"_hear_{verb}")(line.decode())
        return bool(end)

    def _take_data(self):
        octets, end, rest = (b"\r\n" + self._in).partition(b"\r\n.\r\n")
        if end:
            self._in, self._take = rest, self._take_line
            self._end(octets[2:].replace(b"\r\n..", b"\r\n.") + b"\r\n")
        return bool(end)

    def _take_chunk(self):
        if len(self._in) < self._wanted:
            return False
        self._chunks += self._in[: self._wanted]
        self._in, self._take = self._in[self._wanted :], self._take_line
        if not self._recipients:
            self._chunks = b""
            self._say("503 5.5.1 nobody to give it to")
        elif self._last:
            self._end(self._chunks)
        else:
            self._say("250 go on")
        return True

    def _end(self, octets):
        answer = self.moods.answer("250 2.0.0 taken")
        if answer == "250 2.0.0 taken" or (answer is LOST and self.moods.chance.random() < 0.5):
            self.took(self._sender, self._recipients, octets)
        self._say(answer)
        self._unanswered_end = True
        self.ends = self.ends or self.moods.chance.random() < self.moods.closes_after_a_message
        if not (answer and answer[0] != "2" and self.moods.stays_open):
            self._forget()
        self._chunks = b""

    def _forget(self):
        self._sender, self._recipients, self._chunks = None, [], b""

    def _hear_mail(self, line):
        if self._sender is not None:
            return self._say("503 5.5.1 there is a sender already")
        if self._unanswered_end and self.moods.minds_haste:
            return self._say("554 5.5.0 that came too early")
        answer = self.moods.answer("250 ok")
        if answer == "250 ok":
            self._sender = re.search("<(.*?)>", line)[1]
        self._say(answer)

    def _hear_rcpt(self, line):
        if self._sender is None:
            return self._say("503 5.5.1 say MAIL first")
        if len(self._recipients) >= self.moods.most_recipients:
            return self._say("452 4.5.3 too many")
        answer = self.moods.answer("250 ok")
        if answer == "250 ok":
            self._recipients = [*self._recipients, re.search("<(.*?)>", line)[1]]
        self._say(answer)

    def _hear_data(self, line):
        if not self._recipients:
            return self._say("554 5.5.1 nobody to give it to")
        answer = self.moods.answer("354 go")
        if answer == "354 go":
            self._take = self._take_data
        self._say(answer)

    def _hear_bdat(self, line):
        _, size, *last = line.split()
        self._wanted, self._last, self._take = int(size), bool(last), self._take_chunk

    def _hear_rset(self, line):
        self._forget()
        self._say("250 reset")

    def _hear_quit(self, line):
        self._say("221 bye")
        self.ends = True
