"""Messages that the model writes itself, so that it knows what is in them: dates, people, subjects, references.

A base subject is taken from a subject by the six steps of RFC 5256, 2.1, with the rules of its grammar (5) as
expressions; shares nothing with the code that it checks.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

from tests.imap.thread.rfc_model import Message as Threaded

BEGIN = 1_790_000_000
DAY_S = 86_400
WORDS = ("lunch", "Plans", "a_b", "A.b", "[list]", "report")
WRAPPERS = ("%s", "%s", "%s", "Re: %s", "re[2]: %s", "Fwd: %s", "[list] %s", "%s (fwd)", "[Fwd: %s]", "RE: [x] FW: %s ")
PEOPLE = ("robin", "Chris", "_terry", "pat")
_BLOB = r"\[[^\[\]]*\] *"
_REFWD = re.compile(rf"(?:{_BLOB})*(?:re|fwd?) *(?:{_BLOB})?:", re.IGNORECASE)


@dataclass(frozen=True)
class Letter:
    """`arrived` is the internal date and `sent` the moment of the Date field, in Unix seconds; `day` is that field's
    day as it was written. A letter without Date counts by its arrival in both (RFC 5256, 2.2).

    `people` are From, To and Cc; `shown` how the first two are displayed (RFC 5957).
    """

    octets: bytes
    arrived: int
    sent: int = 0
    day: int = 0
    subject: str = ""
    people: tuple = ("", "", "")
    shown: tuple = ("", "")
    id: str = ""
    references: tuple = ()
    body: str = ""

    @property
    def base(self):
        return base_subject(self.subject)[0].upper()

    def threaded(self):
        """As THREAD sees it."""
        base, reply = base_subject(self.subject)
        return Threaded(self.id or None, self.references, base.upper(), reply, self.sent)


NOTHING = Letter(b"", 0)
"""What is left of a message that nobody can read any more: of no size, from the beginning of time."""


def base_subject(subject):
    """What is left, and whether it was a reply or was forwarded."""
    text, reply = re.sub(r"[ \t]+", " ", subject), False
    while True:
        while trailer := re.search(r"(?:\(fwd\)| )$", text, re.IGNORECASE):
            text, reply = text[: trailer.start()], reply or trailer[0] != " "
        while True:
            if text.startswith(" "):
                text = text[1:]
            elif leader := _REFWD.match(text):
                text, reply = text[leader.end() :], True
            elif (blob := re.match(_BLOB, text)) and text[blob.end() :]:
                text = text[blob.end() :]
            else:
                break
        wrapped = re.fullmatch(r"\[fwd:(.*)\]", text, re.IGNORECASE)
        if wrapped is None:
            return text, reply
        text, reply = wrapped[1], True


def write(random, number, others):
    """A letter unlike all before; it may refer to some of the `others`."""
    subject = random.choice(WORDS)
    for _ in range(random.choice([0, 1, 1, 2])):
        subject = random.choice(WRAPPERS) % subject
    arrived = BEGIN + random.randrange(10 * DAY_S)
    zone = timezone(timedelta(hours=random.choice([-11, 0, 0, 2])))
    date = datetime.fromtimestamp(BEGIN + random.randrange(0, 10 * DAY_S, 7200), zone)
    people = [random.choice(PEOPLE) for _ in range(3)]
    display = [random.choice(("", "", "Zoe Z", "amy")) for _ in range(2)]
    own = random.choice(["", f"<{number}@model>"])
    known = [other.id for other in others if other.id] + [f"<{random.randrange(9)}@nowhere>"]
    references = tuple(random.choice(known) for _ in range(random.choice([0, 0, 1, 1, 2, 3])))
    dated = random.random() < 0.8
    fields = [
        f"Subject: {subject}" * bool(random.random() < 0.9),
        f"From: {_address(display[0], people[0])}", f"To: {_address(display[1], people[1])}",
        f"Cc: {people[2]}@vm1.example.com", f"Date: {format_datetime(date)}" * dated,
        f"Message-ID: {own}" * bool(own), "References: " * bool(references) + " ".join(references),
    ]  # fmt: skip
    body = f"number {number} " + "x" * random.randrange(40)
    octets = "\r\n".join([*filter(None, fields), "", body, ""]).encode()
    return Letter(
        octets, arrived,
        sent=int(date.timestamp()) if dated else arrived,
        day=date.toordinal() if dated else day_of(arrived),
        subject=subject if fields[0] else "", people=tuple(people),
        shown=tuple(d or f"{p}@vm1.example.com" for d, p in zip(display, people, strict=False)),
        id=own, references=references, body=body,
    )  # fmt: skip


def _address(display, person):
    return f"{display} <{person}@vm1.example.com>" if display else f"{person}@vm1.example.com"


def day_of(moment):
    """Counted as `date.toordinal` does, in UTC."""
    return datetime.fromtimestamp(moment, UTC).toordinal()


def date_time(moment):
    """As APPEND takes it."""
    return time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(moment))


def day(ordinal):
    """As SEARCH takes it."""
    return datetime.fromordinal(ordinal).strftime("%d-%b-%Y").lstrip("0")
