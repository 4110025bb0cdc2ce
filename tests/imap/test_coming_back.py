"""A client that synchronises by QRESYNC has the folder as it is, whatever others do and whenever it comes and goes."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imap.conversation import MESSAGE, House
from unitymail.imap.wire.sequence import compressed, parse

FETCH = re.compile(r"\* (\d+) (?:FETCH|UIDFETCH) \((.*)\)$")
FLAGS = re.compile(r"FLAGS \(([^)]*)\)")
MODSEQ = re.compile(r"MODSEQ \((\d+)\)")
UID = re.compile(r"UID (\d+)")
VANISHED = re.compile(r"\* VANISHED (\(EARLIER\) )?(\S+)$")
HIGHEST = re.compile(r"\[HIGHESTMODSEQ (\d+)\]")


class Cache:
    """What such a client keeps: flags and MODSEQ by UID, and up to which change it has heard of everything."""

    def __init__(self, house, *, uid_only):
        self.house, self.uid_only = house, uid_only
        self.messages = {}
        self.highest = self.fetched = 0
        self.client = None
        self.adding = frozenset()

    def come(self, how):
        client = self.client = self.house.signed_in()
        if self.uid_only:
            client.session.user = replace(client.session.user, hidden_capabilities=("+UIDONLY",))
            client.say("a ENABLE UIDONLY")
        client.say("a ENABLE QRESYNC")
        known = sorted(self.messages)
        words = f"{self.house.inbox.snapshot.uidvalidity} {self.highest}"
        if known and how != "plain":
            words += f" {compressed(known).decode()}"
        if known and how == "proof" and not self.uid_only:
            words += f" (1:{len(known)} {compressed(known).decode()})"
        self.hear(client.say(f"b SELECT INBOX (QRESYNC ({words}))"))
        self.fetch_new()

    def go(self):
        self.client.leave()
        self.client = None

    def say(self, line):
        """What .SILENT changes is told by MODSEQ alone."""
        silent = re.search(r"\+FLAGS.SILENT \((.*)\)", line)
        self.adding = frozenset([silent.group(1)]) if silent else frozenset()
        self.hear(self.client.say(line))
        self.adding = frozenset()

    def fetch_new(self):
        """Messages that came during a session are told by EXISTS only."""
        self.hear(self.client.say(f"f UID FETCH {self.fetched + 1}:* (UID FLAGS MODSEQ)"))
        self.fetched = max([*self.messages, self.fetched])

    def hear(self, heard):
        assert re.match(r"\S+ OK ", heard[-1]), heard
        for line in heard:
            if found := VANISHED.match(line):
                for low, high in parse(found.group(2).encode()).ranges:
                    for uid in range(low, high + 1):
                        assert found.group(1) or uid in self.messages or uid not in self.house.inbox.snapshot.uids
                        self.messages.pop(uid, None)
            elif found := FETCH.match(line):
                self._fetched(int(found.group(1)), found.group(2))
            if found := HIGHEST.search(line):
                assert int(found.group(1)) >= self.highest
                self.highest = int(found.group(1))

    def _fetched(self, number, items):
        uid = number if self.uid_only else int(UID.search(items).group(1))
        modseq = int(MODSEQ.search(items).group(1))
        flags = FLAGS.search(items)
        known = self.messages.get(uid, (frozenset(), 0))
        now = frozenset(flags.group(1).split()) - {"\\Recent"} if flags else known[0] | self.adding
        self.messages[uid] = (now, modseq)

    def is_right(self):
        snapshot = self.house.inbox.snapshot
        assert self.messages == {
            uid: (snapshot.combinations[flags], modseq)
            for uid, flags, modseq in zip(snapshot.uids, snapshot.flags, snapshot.modseqs, strict=True)
        }


NUMBER = st.integers(0, 9)
STEPS = st.one_of(
    st.tuples(st.just("put")),
    st.tuples(st.just("flag"), NUMBER, st.sampled_from(["add", "remove", "replace"]),
              st.sampled_from([["\\Seen"], ["\\Flagged", "work"], []])),
    st.tuples(st.just("drop"), st.sets(NUMBER, min_size=1, max_size=4)),
    st.tuples(st.just("forget")),
    st.tuples(st.just("come"), st.sampled_from(["plain", "known", "proof"])),
    st.tuples(st.just("say"), st.sampled_from([
        "NOOP", "UID FETCH 1:* (FLAGS MODSEQ)", "UID SEARCH ALL", "UID EXPUNGE 1:5", "EXPUNGE",
        "UID STORE 1:4 +FLAGS.SILENT (\\Deleted)", "UID STORE 1:* FLAGS (\\Answered)", "CHECK",
        "UID FETCH 1:* (FLAGS MODSEQ) (PARTIAL -1:-3)",
    ])),
    st.tuples(st.just("sync")),
    st.tuples(st.just("number"), st.sampled_from([
        "FETCH 1:* (UID FLAGS MODSEQ)", "SEARCH SEEN", "STORE 1 +FLAGS.SILENT (x)", "STORE 1:* FLAGS (y)",
    ])),
)  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.lists(STEPS, max_size=40), st.booleans())
def test_the_folder_as_it_is(steps, uid_only):
    """After each return, and after each NOOP, nothing is missing, left over or out of date."""
    house = House()
    inbox = house.inbox
    cache = Cache(house, uid_only=uid_only)

    def some(numbers):
        uids = inbox.snapshot.uids
        return sorted({uids[number % len(uids)] for number in numbers}) if uids else []

    def come_back(how):
        if cache.client is not None:
            cache.go()
        cache.come(how)
        cache.is_right()

    for step in steps:
        match step:
            case ("put",):
                inbox.put(MESSAGE, recent=False)
            case ("flag", number, change, flags):
                inbox.store(some([number]), change, flags)
            case ("drop", numbers):
                inbox.store(some(numbers), "add", ["\\Deleted"])
                inbox.expunge(some(numbers))
            case ("forget",):
                inbox.vanished_from = inbox.snapshot.highest_modseq
            case ("come", how):
                come_back(how)
            case ("say", line) if cache.client is not None:
                cache.say(f"c {line}")
            case ("number", line) if cache.client is not None and not uid_only and len(cache.client.session.view):
                cache.say(f"c {line}")
            case ("sync",) if cache.client is not None:
                cache.say("d NOOP")
                cache.fetch_new()
                cache.is_right()
    come_back("known")
    assert house.journal.named("trouble") == []
