"""Random commands from several clients of one account, each answer compared with the model's."""

import os
import re
import time
from dataclasses import replace
from zlib import crc32

from tests.imap.conversation import House
from tests.imap.model.client import Client, Onward, Page, number_set, status
from tests.imap.model.hands import MOST_MESSAGES, Hands
from tests.imap.model.hearing import Ear
from tests.imap.model.mailbox import Mailbox
from tests.power.recording import HastyDisk
from unitymail.store import Store

BOXES = ("INBOX", "Archive", "Junk")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "\\Draft", "work", "$Junk", "home")
ENABLE = {
    "plain": "", "condstore": "CONDSTORE", "qresync": "QRESYNC", "rev2": "IMAP4rev2", "uidonly": "UIDONLY",
    "both": "QRESYNC UIDONLY",
}  # fmt: skip
KINDS = tuple(ENABLE)
_LITERAL = re.compile(r"\{(\d+)\}$")


def lines_of(text):
    """Responses a line each; a literal's octets become their checksum behind its length."""
    lines, position = [], 0
    while position < len(text):
        end = text.index("\r\n", position)
        line, position = text[position:end], end + 2
        while found := _LITERAL.search(line):
            size = int(found[1])
            line += f"{crc32(text[position : position + size].encode('latin-1')):08x}"
            end = text.index("\r\n", position + size)
            line, position = line + text[position + size : end], end + 2
        lines.append(line)
    return lines


class Play(Hands):
    """`random` chooses everything; `count` is how many commands were compared."""

    def __init__(self, directory, random):
        self.directory = str(directory)
        self.random = random
        self.store = Store(os.path.join(self.directory, "mail"), disk=HastyDisk(), now=time.time, host="h")
        self.house = House(store=self.store)
        self.boxes = {name: Mailbox(name, name, "" if name == "INBOX" else f" \\{name}") for name in BOXES}
        self.ear = Ear()
        self.number = self.count = self.made = 0
        self.clients = [self._signed_in(kind) for kind in (*KINDS, random.choice(KINDS))]

    def close(self):
        for wire, _ in self.clients:
            wire.leave()
        self.store.close()

    def _signed_in(self, kind):
        wire = self.house.signed_in()
        wire.session.user = replace(wire.session.user, hidden_capabilities=("+UIDONLY",))
        if ENABLE[kind]:
            wire.say(f"x ENABLE {ENABLE[kind]}")
        wire.idling = False
        return wire, Client(kind)

    def message(self):
        self.number += 1
        return b"Subject: number %d\r\n\r\n%b\r\n" % (self.number, b"x" * self.random.randrange(40))

    # One step

    def step(self):
        wire, client = self.random.choice(self.clients)
        if wire.idling:
            self._stop_idling(wire, client)
        else:
            do = self.random.choices(
                [self.select, self.store_flags, self.fetch, self.search, self.copy, self.append, self.replace,
                 self.expunge, self.noop, self.leave, self.status, self.idle, self.deliver, self.put,
                 self.take_away, self.change_mailboxes, self.nonsense],
                [6, 16, 12, 11, 8, 7, 4, 6, 8, 2, 3, 3, 2, 2, 2, 2, 1],
            )[0]  # fmt: skip
            do(wire, client)
        self._hear_idlers()

    def ask(self, wire, command, expected, end, *, literal=b"", expunges=True, by_uid=False, caught_up=True):
        """Send it; compare what comes with `expected`, what happened meanwhile, and the end."""
        self.count += 1
        tag = f"a{self.count}"
        client = dict(self.clients)[wire]
        wire.send(f"{tag} {command}".encode() + literal + b"\r\n")
        heard = lines_of(wire.heard())
        lines, end = (expected, end) if not callable(expected) else expected(tag)
        news = client.catch_up(expunges=expunges, by_uid=by_uid) if caught_up else []
        self.ear.compare(heard, [*lines, *news, f"{tag} {end}"], f"{client.kind}: {command}")

    def _hear_idlers(self):
        for wire, client in self.clients:
            if wire.idling:
                self.house.clock.advance(0)
                heard = lines_of(wire.heard())
                self.ear.compare(heard, client.catch_up(), f"{client.kind} idles")

    # Commands

    def select(self, wire, client):
        name = self.random.choice(list(self.boxes))
        verb = self.random.choice(["SELECT", "SELECT", "SELECT", "EXAMINE"])
        box = self.boxes[name]
        since = None
        parameter = ""
        if client.qresync and self.random.random() < 0.7:
            validity = self.ear.learnt.get(f"validity:{box.key}")
            known = self.ear.modseq(box.key, self.random.randint(0, box.tick))
            if validity and known:
                since = known[0]
                parameter = f" (QRESYNC ({validity} {known[1]}))"
        lines, end = client.select(box, verb == "EXAMINE")
        if since is not None:
            lines = [*lines, *client.resynced(since)]
        self.ask(wire, f"{verb} {name}{parameter}", lines, end, caught_up=False)

    def _by_uid(self, client):
        return client.uid_only or self.random.random() < 0.5

    def _page(self):
        sign = self.random.choice([1, -1])
        return Page(sign * self.random.randint(1, 9), sign * self.random.randint(1, 9))

    def _numbers(self, client, by_uid):
        """(a set as the client writes it, the numbers that it names)"""
        top = (client.view[-1].uid if client.view else 1) if by_uid else len(client.view)
        if not by_uid and not top:
            return "1:*", Onward(1)
        if client.saved and self.random.random() < 0.15:
            named = {k.uid if by_uid else n for n, k in enumerate(client.view, 1) if k.uid in client.saved}
            return "$", named
        if self.random.random() < 0.2:
            first = self.random.randint(1, top)
            return f"{first}:*", Onward(first)
        numbers = {self.random.randint(1, top) for _ in range(self.random.randint(1, 5))}
        return number_set(numbers), numbers

    def store_flags(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        by_uid = self._by_uid(client)
        written, numbers = self._numbers(client, by_uid)
        change = self.random.choice(["add", "add", "remove", "replace"])
        flags = frozenset(self.random.sample(FLAGS, self.random.randint(0, 2)))
        silent = self.random.random() < 0.4
        since, modifier = None, ""
        if client.aware and self.random.random() < 0.4:
            known = self.ear.modseq(client.box.key, self.random.randint(0, client.box.tick))
            if known:
                since, modifier = known[0], f"(UNCHANGEDSINCE {known[1]}) "
        sign = {"add": "+", "remove": "-", "replace": ""}[change]
        item = f"{sign}FLAGS{'.SILENT' * silent} ({' '.join(sorted(flags))})"
        command = f"{'UID ' * by_uid}STORE {written} {modifier}{item}"
        lines, end = client.store(numbers, by_uid, change, silent, flags, since)
        return self.ask(wire, command, lines, end, expunges=by_uid, by_uid=by_uid)

    def fetch(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        by_uid = self._by_uid(client)
        written, numbers = self._numbers(client, by_uid)
        items = set(self.random.sample(["FLAGS", "UID", "RFC822.SIZE", "BODY[]"], self.random.randint(1, 3)))
        since, earlier, page, modifiers = None, None, None, []
        if client.aware:
            items |= {"MODSEQ"} if self.random.random() < 0.3 else set()
            known = self.ear.modseq(client.box.key, self.random.randint(0, client.box.tick))
            if known and self.random.random() < 0.4:
                since = known[0]
                modifiers.append(f"CHANGEDSINCE {known[1]}")
                if client.qresync and by_uid and self.random.random() < 0.6:
                    earlier = set() if written == "$" else numbers
                    modifiers.append("VANISHED")
        if by_uid and self.random.random() < 0.2:
            page = self._page()
            modifiers.append(f"PARTIAL {page.text}")
        self.random.shuffle(modifiers)
        modifier = f" ({' '.join(modifiers)})" if modifiers else ""
        command = f"{'UID ' * by_uid}FETCH {written} ({' '.join(sorted(items))}){modifier}"
        lines, end = client.fetch(numbers, by_uid, items, since, earlier, page)
        return self.ask(wire, command, lines, end, expunges=by_uid, by_uid=by_uid)

    def search(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        by_uid = self._by_uid(client)
        flag = self.random.choice(FLAGS)
        key = {"\\": flag[1:].upper()}.get(flag[0], f"KEYWORD {flag}")
        negated = self.random.random() < 0.4
        named_by_uid = self._by_uid(client)
        written, numbers = self._numbers(client, named_by_uid)
        keys = ["NOT " * negated + key]
        ranged = self.random.random() < 0.5 and bool(client.view)
        if ranged:
            keys.append(("UID " if named_by_uid and written != "$" else "") + written)
        changed = client.aware and self.random.random() < 0.3
        known = self.ear.modseq(client.box.key, self.random.randint(0, client.box.tick)) if changed else None
        if known:
            keys.append(f"MODSEQ {known[1]}")
        self.random.shuffle(keys)
        returning, page = None, None
        if self.random.random() < 0.5:
            returning = self.random.sample(["MIN", "MAX", "COUNT", "ALL", "SAVE"], self.random.randint(0, 3))
            if "ALL" not in returning and self.random.random() < 0.3:
                page = self._page()
        options = [] if returning is None else [*returning, *([f"PARTIAL {page.text}"] if page else [])]
        command = (
            f"{'UID ' * by_uid}SEARCH {'' if returning is None else f'RETURN ({chr(32).join(options)}) '}"
            f"{' '.join(keys)}"
        )

        named = {number for number, _ in client.chosen(numbers, named_by_uid)}

        def matches(number, one):
            return (
                ((flag in one.flags) is not negated) and (not ranged or number in named)
                and (not known or one.tick >= known[0])
            )  # fmt: skip

        def answer(tag):
            return client.search(matches, by_uid, returning, tag, modseq=bool(known), page=page)

        return self.ask(wire, command, answer, "", expunges=by_uid, by_uid=by_uid)

    def copy(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        by_uid, moving = self._by_uid(client), self.random.random() < 0.5
        target = self.boxes[self.random.choice(list(self.boxes))]
        if not moving and len(target.messages) > MOST_MESSAGES:
            return self.expunge(wire, client)
        written, numbers = self._numbers(client, by_uid)
        chosen = client.chosen(numbers, by_uid)
        lines, end = client.copy(chosen, target, may_be_gone=by_uid or written == "$", moving=moving, by_uid=by_uid)
        command = f"{'UID ' * by_uid}{'MOVE' if moving else 'COPY'} {written} {target.name}"
        return self.ask(wire, command, lines, end, by_uid=by_uid)

    def append(self, wire, client):
        box = self.boxes[self.random.choice(list(self.boxes))]
        if len(box.messages) > MOST_MESSAGES:
            return self.expunge(wire, client)
        pairs = [
            (frozenset(self.random.sample(FLAGS, self.random.randint(0, 2))), self.message())
            for _ in range(self.random.choice([1, 1, 2]))
        ]
        literal = b"".join(
            b" (%b) {%d+}\r\n%b" % (" ".join(sorted(flags)).encode(), len(octets), octets) for flags, octets in pairs
        )
        uids = box.add(pairs)
        end = f"OK [APPENDUID <validity:{box.key}> {number_set(uids)}]"
        return self.ask(wire, f"APPEND {box.name}", [], end, literal=literal)

    def replace(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        by_uid = self._by_uid(client) or not client.view
        target = self.boxes[self.random.choice(list(self.boxes))]
        if target is not client.box and len(target.messages) > MOST_MESSAGES:
            return self.expunge(wire, client)
        top = (client.view[-1].uid + 1 if client.view else 1) if by_uid else len(client.view)
        number = self.random.randint(1, top)
        known = next((known for _, known in client.chosen({number}, by_uid)), None)
        octets = self.message()
        lines, end = client.replace(known, target, (frozenset(), octets), by_uid)
        command = f"{'UID ' * by_uid}REPLACE {number} {target.name}"
        return self.ask(wire, command, lines, end, literal=b" {%d+}\r\n%b" % (len(octets), octets), by_uid=by_uid)

    def expunge(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        if self.random.random() < 0.5:
            lines, end = client.expunge()
            return self.ask(wire, "EXPUNGE", lines, end)
        written, numbers = self._numbers(client, True)
        lines, end = client.expunge({known.uid for _, known in client.chosen(numbers, True)})
        return self.ask(wire, f"UID EXPUNGE {written}", lines, end, by_uid=True)

    def noop(self, wire, client):
        return self.ask(wire, self.random.choice(["NOOP", "NOOP", "CHECK"] if client.box else ["NOOP"]), [], "OK")

    def leave(self, wire, client):
        if client.box is None:
            return self.select(wire, client)
        verb = self.random.choice(["CLOSE", "UNSELECT"])
        lines, end = client.close(expunging=verb == "CLOSE")
        return self.ask(wire, verb, lines, end)

    def status(self, wire, client):
        """Who asks for HIGHESTMODSEQ knows of mod-sequences from then on: few of the plain ones do."""
        box = self.boxes[self.random.choice(list(self.boxes))]
        items = "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE MAILBOXID"
        counting = client.aware or self.random.random() < 0.1
        learning = client._learn() if counting and client.box is not None else []
        client.aware = counting
        items += " HIGHESTMODSEQ" * counting
        return self.ask(wire, f"STATUS {box.name} ({items})", [*learning, status(box, counting)], "OK")

    def idle(self, wire, client):
        self.count += 1
        wire.idle_tag = f"a{self.count}"
        wire.send(f"{wire.idle_tag} IDLE\r\n")
        self.ear.compare(lines_of(wire.heard()), ["+ idling", *client.catch_up()], f"{client.kind}: IDLE")
        wire.idling = True
        if client.box is not None:
            client.box.idlers.append(client)

    def _stop_idling(self, wire, client):
        wire.send("DONE\r\n")
        wire.idling = False
        if client.box is not None:
            client.box.idlers.remove(client)
        self.ear.compare(lines_of(wire.heard()), [*client.catch_up(), f"{wire.idle_tag} OK"], f"{client.kind}: DONE")

    def nonsense(self, wire, client):
        """What is wrong changes nothing, and nothing is told."""
        command = self.random.choice(["FETCH 1 NOTHING", "STORE", "FOO", "SELECT", "UID NOOP", "COPY 1"])
        by_number = client.uid_only and client.box is not None and command.startswith(("FETCH", "STORE", "COPY"))
        return self.ask(wire, command, [], "BAD [UIDREQUIRED]" if by_number else "BAD", caught_up=False)
