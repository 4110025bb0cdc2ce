"""Robin, who writes to a mailbox on and on while a story is told: short letters, voice messages, large papers.

Refuses to know who reads them.
"""

import base64
import random
import smtplib
import threading

from tests.stories.copies import DOMAIN
from tests.stories.house import PATIENCE_S
from tests.stories.site import letter

ROBIN = "robin.smith@example.com"
PAUSE_S = 0.04
LARGE = 1_000_000
FOR_ONE_CONNECTION = 80
"""Messages; a node takes a hundred."""
BODIES = (
    "See you at noon.\r\n",
    ".\r\n..\r\nA line of one dot, and one of two.\r\n.\r\n",
    "From here on\r\n>From there\r\nFrom: nobody@example.com\r\n",
    "Grüße aus Köln, 5 €\r\n",
    "\r\n\r\n",
    "",
    "trailing blanks  \t\r\n-- \r\nsignature\r\n",
    "x" * 900 + "\r\n" + "y" * 70 + "\r\n",
    "No line end at the end of this one?  There is.\r\n",
)


def word_of(number):
    return f"day{number:05d}x"


def small(number, *, to="chris.jones@example.com"):
    """A short letter, as people and programs write them."""
    word, minute, second = word_of(number), number // 60 % 60, number % 60
    return (
        f"From: Robin Smith <{ROBIN}>\r\nTo: {to}\r\nDate: Fri, 6 Nov 2026 09:{minute:02d}:{second:02d} +0000\r\n"
        f"Subject: Note {word}\r\nMessage-ID: <{word}@{DOMAIN}>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + BODIES[number % len(BODIES)]
    ).encode()


def large(number):
    """Papers of a megabyte."""
    head, _, _ = small(number).partition(b"\r\n\r\n")
    head = head.replace(b"text/plain; charset=utf-8", b"application/octet-stream").replace(b"8bit", b"base64")
    octets = base64.encodebytes(random.Random(number).randbytes(LARGE * 3 // 4))
    return head + b"\r\n\r\n" + octets.replace(b"\n", b"\r\n")


def message(number):
    """(the word, the octets) of Robin's message of this number."""
    word = word_of(number)
    message_id = f"<{word}@{DOMAIN}>"
    if number % 30 == 9:
        return word, large(number)
    if number % 5 == 1:
        return word, letter("viewmail_voice", word, Message_ID=message_id)
    if number % 5 == 3:
        vectors = ("email_html_attachments", "voice_reply", "voice_44k_stereo", "email_alternative")
        return word, letter(vectors[number // 5 % len(vectors)], word, Message_ID=message_id)
    return word, small(number)


class Postman(threading.Thread):
    """Brings messages to `recipient` until `end`, a moment after the one before it was taken.

    `before(word, octets)` is called for each that is about to be handed in; it is delivered, or `end` raises why not.
    """

    def __init__(self, house, recipient, numbers, before):
        super().__init__(daemon=True)
        self._house, self._recipient, self._numbers, self._before = house, recipient, numbers, before
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._error = None
        self.delivered = []

    def run(self):
        try:
            while not self._ended.is_set():
                with self._house.smtp("robin") as client:
                    self._rounds(client)
        except (OSError, smtplib.SMTPException, AssertionError) as error:
            self._error = error
        with self._changed:
            self._changed.notify_all()

    def _rounds(self, client):
        for _ in range(FOR_ONE_CONNECTION):
            if self._ended.wait(PAUSE_S):
                return
            word, octets = message(next(self._numbers))
            self._before(word, octets)
            client.sendmail(ROBIN, [self._recipient], octets, mail_options=["BODY=8BITMIME"])
            with self._changed:
                self.delivered.append(word)
                self._changed.notify_all()

    def more(self, count):
        """The words of the next `count` messages, once they are delivered."""
        with self._changed:
            start = len(self.delivered)
            done = self._changed.wait_for(lambda: self._stopped() or len(self.delivered) >= start + count, PATIENCE_S)
            assert done and not self._stopped(), self._error or f"{len(self.delivered) - start} of {count} delivered"
            return self.delivered[start : start + count]

    def _stopped(self):
        return self._error is not None or not self.is_alive()

    def give_up(self):
        """No more messages; whatever became of the last."""
        self._ended.set()
        if self.ident is not None:
            self.join(PATIENCE_S)

    def end(self):
        """No more messages; all that were handed in are in the mailbox."""
        self.give_up()
        assert not self.is_alive(), "the last message is not taken"
        if self._error is not None:
            raise AssertionError(f"a message was not taken: {self._error!r}") from self._error
