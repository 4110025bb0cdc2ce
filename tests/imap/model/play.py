"""Random commands from several clients of one account, each answer compared with the model's."""

import os
import time
from dataclasses import dataclass, replace
from typing import Any

from tests.imap.conversation import House
from tests.imap.model.answers.opening import enable
from tests.imap.model.client import Client
from tests.imap.model.commands import mailboxes, messages, opening, others, searching, waiting
from tests.imap.model.hearing import Ear, lines_of
from tests.imap.model.letters import write
from tests.imap.model.mailbox import Mailbox
from tests.power.recording import HastyDisk
from unitymail.store import Store

BOXES = ("INBOX", "Archive", "Junk")
KINDS = ((), ("CONDSTORE",), ("QRESYNC",), ("IMAP4rev2",), ("UIDONLY",), ("QRESYNC", "UIDONLY"))
"""What clients enable when they sign in."""
ABOUT_MESSAGES = {
    messages.store_flags: 16, messages.fetch: 12, searching.search: 9, searching.sort: 3, searching.thread: 2,
    messages.copy: 8, messages.replace: 4, messages.expunge: 6, opening.leave: 2,
}  # fmt: skip
"""How often each command is chosen; those of this table need a mailbox."""
ANYTHING = {
    **ABOUT_MESSAGES, opening.select: 6, messages.append: 7, waiting.noop: 8, opening.status: 3, waiting.idle: 3,
    others.deliver: 2, others.put: 2, others.take_away: 2, mailboxes.change: 2, waiting.nonsense: 1,
    opening.enable: 0.3, opening.sign_out: 0.5,
}  # fmt: skip


@dataclass(eq=False)
class Talk:
    """A connection, what its client knows, and the tag of the IDLE that goes on."""

    wire: Any
    client: Client
    idle_tag: str | None = None

    def heard(self):
        return lines_of(self.wire.heard())


class Play:
    """`random` chooses everything; `count` is how many commands were compared, `number` how many letters were written.

    `made`: how many mailboxes.
    """

    def __init__(self, directory, random):
        self.directory = str(directory)
        self.random = random
        self.store = Store(os.path.join(self.directory, "mail"), disk=HastyDisk(), now=time.time, host="h")
        self.house = House(store=self.store)
        self.boxes = {name: Mailbox(name, name, "" if name == "INBOX" else f" \\{name}") for name in BOXES}
        self.ear = Ear()
        self.number = self.count = self.made = 0
        self._letters = []
        self.talks = []
        for kind in (*KINDS, random.choice(KINDS)):
            self.talks.append(talk := Talk(None, Client()))
            self._sign_in(talk, kind)

    def close(self):
        for talk in self.talks:
            talk.wire.leave()
        self.store.close()

    def come(self, talk):
        """The connection is over; another client comes in its place."""
        talk.wire.leave()
        self._sign_in(talk, self.random.choice(KINDS))

    def _sign_in(self, talk, kind):
        talk.wire, talk.client, talk.idle_tag = self.house.signed_in(), Client(), None
        session = talk.wire.session
        session.user = replace(session.user, hidden_capabilities=("+UIDONLY",))
        for word in kind:
            lines, end = enable(talk.client, word)
            self.ask(talk, f"ENABLE {word}", lines, end)

    def letter(self):
        self.number += 1
        self._letters = [*self._letters[-8:], write(self.random, self.number, self._letters)]
        return self._letters[-1]

    def chance(self, share):
        return self.random.random() < share

    # One step

    def step(self):
        talk = self.random.choice(self.talks)
        if talk.idle_tag is not None:
            waiting.done(self, talk)
        else:
            do = self.random.choices(list(ANYTHING), ANYTHING.values())[0]
            self.instead(do, talk)
        self._hear_idlers()

    def instead(self, do, talk):
        """Do this, or what must come first."""
        if do in ABOUT_MESSAGES and talk.client.box is None:
            do = opening.select
        elif do in ABOUT_MESSAGES and talk.client.is_lost and do is not opening.leave:
            do = waiting.go_on
        do(self, talk)

    def next_tag(self):
        self.count += 1
        return f"a{self.count}"

    def ask(self, talk, command, expected, end, *, literal=b"", expunges=True, by_uid=False, news=True):
        """Send it; compare what comes with `expected`, what happened meanwhile, and the end.

        `expected` may be a function of the tag that gives both the lines and the end.
        """
        tag = self.next_tag()
        talk.wire.send(f"{tag} {command}".encode() + literal + b"\r\n")
        lines, end = expected(tag) if callable(expected) else (expected, end)
        if news and not end.startswith("BAD"):
            lines = [*lines, *talk.client.catch_up(expunges=expunges, by_uid=by_uid)]
        bye = ["* BYE"] if news and talk.client.is_lost and not end.startswith("BAD") else []
        self.ear.compare(talk.heard(), [*lines, f"{tag} {end}", *bye], f"{talk.client}: {command}")
        if bye:
            self.come(talk)

    def show_out(self, talk, command, *before):
        """The mailbox was deleted: the connection ends with BYE."""
        talk.wire.send(f"{self.next_tag()} {command}\r\n")
        self.ear.compare(talk.heard(), [*before, "* BYE"], f"{talk.client} in what was deleted: {command}")
        self.come(talk)

    def _hear_idlers(self):
        for talk in self.talks:
            if talk.idle_tag is not None:
                self.house.clock.advance(0)
                self.ear.compare(talk.heard(), talk.client.catch_up(), f"{talk.client} idles")
