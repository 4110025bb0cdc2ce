"""What the class of service withholds is served in one form only, and a change of class gives other UIDs."""

import sqlite3
from contextlib import contextmanager
from itertools import pairwise

import pytest

from tests.store.house import Class, House, flags_of, message
from unitymail.interfaces.errors import Trouble
from unitymail.mail.withheld import Reason, withheld_form
from unitymail.people.class_of_service import ImapBodies
from unitymail.policy.withholding import NOTHING, Withholding
from unitymail.store import reading, rendering, renewing, schema
from unitymail.store.index import Index

ALL, NOT_PRIVATE, HEADERS = ImapBodies
DEFAULT = Withholding(ALL, secure=True)
STRICT = Withholding(NOT_PRIVATE, secure=True)
ONLY_HEADERS = Withholding(HEADERS, secure=True)
PRIVATE = b"Sensitivity: private\r\nContent-Type: text/plain; name=hidden.txt\r\n"
SECURE = b"X-Unity-Secure: true\r\n"
TRACE = "0abcdefghi01234567"
COLUMNS = [
    "internaldate", "size", "envelope", "bodystructure", "fields", "terms", "sent", "saved", "emailid", "preview",
]  # fmt: skip
OF_THE_FORM = {"size", "bodystructure", "fields", "emailid", "preview"}


class Desk:
    """A house with a class; `told` is what the store told of new UIDs."""

    def __init__(self, tmp_path, rule=NOTHING):
        self.cos = Class(rule)
        self.house = House(tmp_path, withholder=self.cos)
        self.told = []
        self.house.store.listen_to_classes(self.told.append)
        self.count = 0

    @property
    def inbox(self):
        return self.house.inbox

    def deliver(self, *heads, ours=None):
        """Messages with such headers and hidden words; `ours`: as our own delivery brings them, with this trace."""
        for head in heads or (b"",):
            self.count += 1
            octets = head + message(self.count, b"hidden words %d\r\n" % self.count)
            name = f"{1_700_000_000 + self.count}.M1P1.test,S={len(octets)},W={len(octets)}"
            if ours is not None:
                octets = b"X-Unitymail-Trace: id=a; category=email; " + ours + b"; sender=u\r\n" + octets
                name = f"{1_700_000_000 + self.count}.{TRACE}{self.count:02}.host.example,S={len(octets)}"
            self.house.store.deliver("u-robin", self.house.write(octets), name)
        return self.inbox.refresh()

    def deliver_asking(self, *secure):
        """Voice messages that are secure, or not, whose sender wants to know when they are heard."""
        for number, word in enumerate(secure):
            octets = (
                b"Return-Path: <pat@partner.example>\r\nX-Unitymail-Trace: id=%s%02d; category=voice;"
                b" sensitivity=normal; secure=%s; sender=\r\nDisposition-Notification-To: <pat@partner.example>\r\n"
            ) % (TRACE.encode(), number, word) + message(number)
            name = f"{1_700_000_000 + number}.{TRACE}{number:02}.host.example,S={len(octets)},N=1"
            self.house.store.deliver("u-robin", self.house.write(octets), name)
        return self.inbox.refresh()

    def uids(self, folder=None):
        return list((folder or self.inbox).refresh().uids)

    def hidden(self, folder=None):
        """UID → whether its words are withheld."""
        folder = folder or self.inbox
        return {uid: b"hidden words" not in self.house.octets(folder, uid) for uid in self.uids(folder)}

    def everything(self, folder=None):
        """Each message as clients may see it."""
        folder = folder or self.inbox
        uids = self.uids(folder)
        return {row[0]: (row[1:], self.house.octets(folder, row[0])) for row in folder.rows(uids, COLUMNS)}

    def rows(self, statement, *values):
        with self.house.account.access.using() as index:
            return index.all(statement, *values)


@pytest.fixture
def make_desk(tmp_path):
    made = []

    def make(rule=NOTHING):
        made.append(Desk(tmp_path, rule))
        return made[-1]

    yield make
    for desk in made:
        desk.house.close()


@pytest.mark.parametrize("first", ["content", "size", "bodystructure", "fields", "preview", "status"])
def test_one_form_everywhere(make_desk, first):
    """Octets, size, structure, fields, preview and STATUS all tell of the form and agree, whichever is asked first."""
    desk = make_desk(STRICT)
    desk.deliver(PRIVATE)
    asked = {"content": lambda: desk.house.octets(desk.inbox, 1), "status": lambda: desk.inbox.status().size}
    asked.get(first, lambda: desk.inbox.rows([1], [first]))()
    octets = desk.house.octets(desk.inbox, 1)
    ((_, size, structure, fields, preview),) = desk.inbox.rows([1], ["size", "bodystructure", "fields", "preview"])
    assert octets == withheld_form(PRIVATE + message(1, b"hidden words 1\r\n"), Reason.PRIVATE)
    assert size == len(octets) == desk.inbox.status().size
    assert b"hidden" not in structure + fields and "hidden" not in preview
    assert b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" ' in structure


@pytest.mark.parametrize("ask", [
    lambda inbox, uids: inbox.status().size,
    lambda inbox, uids: sum(size for _, size in inbox.rows(uids, ["size"])),
])
def test_others_may_work_while_many_are_decided(make_desk, monkeypatch, ask):
    """Sizes of a folder that nobody looked at are found out a few at a time; the account is free in between."""
    monkeypatch.setattr(rendering, "MEASURED_AT_ONCE", 2)
    monkeypatch.setattr(reading, "BATCH", 2)
    desk = make_desk(DEFAULT)
    desk.deliver(*[b""] * 4, SECURE)
    uids, access, decide = desk.uids(), desk.house.account.access, rendering.decide
    entered, happened = access.entered, []

    @contextmanager
    def noted():
        with entered() as outermost:
            yield outermost
        if outermost:
            happened.append("free")

    monkeypatch.setattr(access, "entered", noted)
    monkeypatch.setattr(rendering, "decide", lambda *args: happened.append(len(args[2])) or decide(*args))
    size = ask(desk.inbox, uids)
    decided = [one for one in happened if one != "free"]
    assert sum(decided) == 5 and max(decided) == 2 and all(
        after == "free" for one, after in pairwise(happened) if one != "free")
    monkeypatch.undo()
    assert size == sum(len(desk.house.octets(desk.inbox, uid)) for uid in uids)


@pytest.mark.parametrize(("rule", "hidden"), [
    (NOTHING, [False, False, False]), (DEFAULT, [False, False, True]), (STRICT, [False, True, True]),
    (ONLY_HEADERS, [True, True, True]), (Withholding(NOT_PRIVATE), [False, True, False]),
])
def test_each_class(make_desk, rule, hidden):
    """Ordinary, private, secure: what the class says is withheld, and nothing else."""
    desk = make_desk(rule)
    desk.deliver(b"", PRIVATE, SECURE)
    assert list(desk.hidden().values()) == hidden
    assert desk.house.account.withholding == rule


def test_our_word_and_the_words_of_others(make_desk):
    """Of a file that our delivery made, what was decided on entry counts; another's trace can only add."""
    desk = make_desk(STRICT)
    desk.deliver(SECURE + PRIVATE, ours=b"sensitivity=normal; secure=no")
    desk.deliver(b"", ours=b"sensitivity=normal; secure=yes")
    desk.deliver(b"", ours=b"sensitivity=private; secure=no")
    desk.deliver(SECURE + b"X-Unitymail-Trace: id=a; category=email; sensitivity=normal; secure=no; sender=u\r\n")
    desk.deliver(b"X-Unitymail-Trace: id=a; category=email; sensitivity=normal; secure=yes; sender=u\r\n")
    assert list(desk.hidden().values()) == [False, True, True, True, True]


def test_what_users_bring_is_theirs(make_desk):
    """APPEND and REPLACE show what they were given, whatever it says; so do copies, also when the index was lost."""
    desk = make_desk(ONLY_HEADERS)
    house, archive = desk.house, desk.house.account.folder("Archive")
    octets = SECURE + PRIVATE + message(1, b"my own words\r\n")
    uid = house.append(desk.inbox, octets=octets)
    descriptor, path = house.account.new_file()
    with open(descriptor, "wb") as file:
        file.write(octets)
    uid = desk.inbox.replace(uid, path, [], None, desk.inbox)
    desk.inbox.copy([uid], archive)
    assert house.octets(desk.inbox, uid) == house.octets(archive, 1) == octets
    desk.inbox.store([uid], "add", ["\\Deleted"])
    desk.inbox.expunge()
    (deleted,) = [one for one in house.account.deleted() if one.folder == "INBOX"][:1]
    house.account.undelete([deleted.id])
    assert house.octets(desk.inbox, desk.uids()[0]) == octets
    (uid,) = desk.uids(archive)
    lose_index(house)
    assert house.octets(house.account.folder("Archive"), desk.uids(house.account.folder("Archive"))[0]) == octets


def lose_index(house):
    house.store.close()
    with open(house.path("unitymail.index"), "wb") as file:
        file.write(b"x" * 8192)
    for part in ("-wal", "-shm"):
        with open(house.path("unitymail.index" + part), "wb"):
            pass
    house.store = house.open()


def test_withheld_wherever_it_goes(make_desk):
    """A copy, a moved one, one brought back after EXPUNGE, and all of them after the index was lost stay withheld."""
    desk = make_desk(DEFAULT)
    house, archive = desk.house, desk.house.account.folder("Archive")
    for _ in range(3):
        desk.deliver(b"", ours=b"sensitivity=normal; secure=yes")
    desk.inbox.copy([1], archive)
    desk.inbox.move([2], archive)
    desk.inbox.store([3], "add", ["\\Deleted"])
    desk.inbox.expunge()
    house.account.undelete([one.id for one in house.account.deleted()])
    assert list(desk.hidden().values()) == [True, True] and list(desk.hidden(archive).values()) == [True, True]
    ids = [row[1] for row in (*desk.inbox.rows([1], ["emailid"]), *archive.rows([1, 2], ["emailid"]))]
    assert ids[0] == ids[1] != ids[2]
    lose_index(house)
    archive = house.account.folder("Archive")
    assert list(desk.hidden().values()) == [True, True] and list(desk.hidden(archive).values()) == [True, True]


def test_a_change_of_class(make_desk):
    """Those that look otherwise leave and come back with new UIDs; the others keep theirs. Nothing else changes."""
    desk = make_desk()
    desk.deliver(b"", PRIVATE, SECURE, b"")
    desk.inbox.claim_recent()
    desk.inbox.store([2], "add", ["\\Seen", "work"])
    before, marked = desk.everything(), desk.inbox.refresh()
    desk.cos.is_now(STRICT)
    snapshot = desk.inbox.refresh()
    after = desk.everything()
    assert list(snapshot.uids) == [1, 4, 5, 6] and flags_of(desk.inbox)[5] == {"\\Seen", "work"}
    assert desk.inbox.vanished_since(marked.highest_modseq) == [2, 3]
    assert [modseq > marked.highest_modseq for modseq in snapshot.modseqs] == [False, False, True, True]
    assert (after[1], after[4]) == (before[1], before[4])
    for old, new in ((2, 5), (3, 6)):
        assert different(before[old], after[new]) == OF_THE_FORM
    assert desk.inbox.peek_recent() == 7
    assert [(one.account, one.folders, one.messages) for one in desk.told] == [("u-robin", ("INBOX",), 2)]
    assert len(desk.house.files()["cur"]) + len(desk.house.files()["new"]) == 4


def different(was, now):
    """The columns in which two messages of `everything` differ."""
    return {name for name, one, other in zip(COLUMNS, was[0], now[0], strict=True) if one != other}


def test_back_again(make_desk):
    """What was withheld comes back whole, under other UIDs again, when the class allows it."""
    desk = make_desk()
    desk.deliver(PRIVATE, b"")
    before = desk.everything()
    desk.cos.is_now(STRICT)
    assert list(desk.hidden().values()) == [False, True]
    desk.cos.is_now(NOTHING)
    assert list(desk.hidden().values()) == [False, False] and desk.uids() == [2, 4]
    assert different(before[1], desk.everything()[4]) == {"emailid"}
    assert desk.everything()[4][1] == before[1][1]


def test_only_what_changes(make_desk):
    """A message withheld under both classes keeps UID and octets, whatever the reason would now be."""
    desk = make_desk(STRICT)
    desk.deliver(b"", PRIVATE, SECURE)
    before = desk.everything()
    desk.cos.is_now(ONLY_HEADERS)
    after = desk.everything()
    assert list(after) == [2, 3, 4] and (after[2], after[3]) == (before[2], before[3])
    assert [one.messages for one in desk.told] == [1]


def test_undecided_messages_keep_their_uids(make_desk):
    """A message of which nothing was shown yet is simply shown by the new rule."""
    desk = make_desk(DEFAULT)
    desk.deliver(PRIVATE, PRIVATE)
    desk.inbox.rows([1], ["bodystructure"])
    desk.cos.is_now(STRICT)
    assert desk.uids() == [2, 3] and list(desk.hidden().values()) == [True, True]


def test_all_folders_at_once(make_desk):
    """The messages of all folders change in one transaction, and copies stay copies of each other."""
    desk = make_desk()
    house, archive = desk.house, desk.house.account.folder("Archive")
    desk.deliver(PRIVATE, b"")
    desk.inbox.copy([1, 2], archive)
    desk.hidden()
    desk.cos.is_now(STRICT)
    assert desk.hidden() == {2: False, 3: True}
    assert [row[0] for row in desk.rows("SELECT id & 4294967295 FROM messages ORDER BY id")] == [2, 3, 2, 3]
    assert desk.inbox.rows([2, 3], ["emailid"]) == archive.rows([2, 3], ["emailid"])
    assert [(one.folders, one.messages) for one in desk.told] == [(("Archive", "INBOX"), 2)]
    house.reopen()
    assert desk.hidden() == {2: False, 3: True}


def test_many_at_once(make_desk):
    """Contents opened together are withheld as each alone is, even if a form happens to be as long as its file."""
    desk = make_desk(STRICT)
    desk.deliver(b"", PRIVATE, b"")
    assert list(desk.hidden().values()) == [False, True, False]
    with desk.inbox.access.using() as index, index.changing():
        index.execute("UPDATE facts SET size = octets")
    opened = desk.inbox.contents(desk.uids(), 1_000_000)
    assert [b"hidden words" not in bytes(one.buffer[:]) for one in opened] == [False, True, False]


@pytest.mark.parametrize("ask", [lambda inbox: inbox.content(1), lambda inbox: inbox.rows([1], COLUMNS) or None])
def test_an_old_uid_gives_nothing(make_desk, ask):
    """From the moment the class changed, whoever still holds the old UID gets no octet of it: not one look later."""
    desk = make_desk()
    desk.deliver(PRIVATE)
    assert desk.hidden() == {1: False}
    desk.cos.is_now(STRICT)
    assert ask(desk.inbox) is None and desk.uids() == [2]


@pytest.mark.parametrize(("before", "shown"), [
    (DEFAULT, [False, True, False, True]), (NOTHING, [False, False, False, True]),
])
def test_what_is_leaving_gives_nothing(make_desk, before, shown):
    """Messages that were expunged or moved away a moment ago, whose files are still there, give no octet either; nor
    do those of which nobody knows what they ask for."""
    desk = make_desk(before)
    archive = desk.house.account.folder("Archive")
    desk.deliver(PRIVATE, b"", PRIVATE, b"")
    desk.hidden()
    desk.inbox.store([1, 2], "add", ["\\Deleted"])
    desk.inbox.expunge()
    desk.inbox.move([3, 4], archive)
    desk.cos.is_now(STRICT)
    given = [content is not None for uid in (1, 2, 3, 4) for content in desk.inbox.contents([uid], 1)]
    assert given == shown
    assert [desk.inbox.content(uid) is not None for uid in (1, 2, 3, 4)] == given
    with desk.house.account.access.using() as index:
        rendering.render(desk.inbox, index, [1, 2, 3, 4])
    desk.house.store.settle()
    assert desk.hidden(archive) == {2: False, 3: True} and len(desk.house.account.deleted()) == 2
    assert not desk.inbox.refresh().uids


def test_without_a_look(make_desk):
    """Running stores are told that the directory changed: open accounts are changed then, whoever looks or not."""
    desk = make_desk()
    desk.deliver(PRIVATE)
    desk.hidden()
    desk.cos.is_now(STRICT)
    desk.house.store.keep_to_classes()
    assert [one.messages for one in desk.told] == [1] and list(desk.inbox.snapshot.uids) == [2]


def test_two_processes_of_which_one_is_late(make_desk):
    """A process whose book is older follows the one whose book is newer, and does not bring the old rule back."""
    desk = make_desk()
    desk.deliver(PRIVATE)
    desk.hidden()
    late = Class(NOTHING)
    other = desk.house.open()
    other._withholder = late
    desk.cos.is_now(STRICT)
    assert desk.hidden() == {2: True}
    there = other.account("u-robin").folder("INBOX")
    assert list(there.refresh().uids) == [2] and b"hidden" not in desk.house.octets(there, 2)
    desk.deliver(PRIVATE)
    assert b"hidden" not in desk.house.octets(there, list(there.refresh().uids)[-1])
    late.is_now(STRICT)
    assert list(there.refresh().uids) == desk.uids() == [2, 3]
    other.close()


def test_the_newer_rule_comes_while_an_older_one_waits(make_desk, monkeypatch):
    """A process that waited to put a rule in force asks again once it may: a newer one may have come meanwhile."""
    desk = make_desk()
    desk.deliver(PRIVATE)
    desk.hidden()
    late = Class(STRICT)
    late.usn = 2
    desk.house.store.close()
    other = desk.house.open()
    other._withholder = late
    there = other.account("u-robin").folder("INBOX")
    is_news, waiting = renewing._is_news, [1]

    def asked(*args):
        answer = is_news(*args)
        if waiting and waiting.pop():
            desk.cos.rule, desk.cos.usn = ONLY_HEADERS, 3
            desk.hidden()
        return answer

    monkeypatch.setattr(renewing, "_is_news", asked)
    assert list(there.refresh().uids) == [2]
    assert other.account("u-robin").withholding == desk.house.account.withholding == ONLY_HEADERS
    other.close()


def test_a_rule_that_came_and_went(make_desk):
    """A process that never heard of a change, because it was taken back at once, undoes what another one made of it."""
    desk = make_desk(STRICT)
    desk.deliver(PRIVATE)
    assert desk.hidden() == {1: True}
    quicker = Class(NOTHING)
    quicker.usn = 2
    other = desk.house.open()
    other._withholder = quicker
    other.account("u-robin").folder("INBOX").refresh()
    other.close()
    desk.cos.usn = 3
    desk.deliver(PRIVATE)
    assert list(desk.hidden().values()) == [True, True]
    assert desk.house.account.withholding == STRICT


def test_a_directory_that_was_set_back(make_desk):
    """After a minute a rule of an older directory counts: its numbers grow no faster for having been restored."""
    desk = make_desk(DEFAULT)
    desk.cos.usn = 100
    desk.deliver(PRIVATE)
    assert list(desk.hidden().values()) == [False]
    desk.cos.rule, desk.cos.usn = STRICT, 90
    assert list(desk.hidden().values()) == [False]
    desk.house.now.ahead = 61
    assert list(desk.hidden().values()) == [True]


def test_nobody_to_ask(make_desk):
    """A program without a book leaves an account as it is, and shows what comes by the rule in force."""
    desk = make_desk(STRICT)
    desk.deliver(PRIVATE)
    assert desk.hidden() == {1: True}
    desk.house.settings.clear()
    desk.house.reopen()
    desk.deliver(PRIVATE)
    assert desk.hidden() == {1: True, 2: True}


def test_quota_counts_what_is_stored(make_desk):
    """The octets that an account may hold are those of its files, whatever may be seen of them."""
    desk = make_desk(ONLY_HEADERS)
    octets = message(9, b"hidden words\r\n" * 5_000)
    desk.house.deliver(octets=octets)
    assert desk.hidden() == {1: True}
    assert desk.house.account.usage() == (len(octets), 1)
    assert desk.inbox.status().size == len(desk.house.octets(desk.inbox, 1)) < 2_000


def test_names_of_copies_claim_no_false_size(make_desk):
    """Another program reads sizes from names: that of a withheld form is never among them."""
    desk = make_desk(STRICT)
    desk.deliver(PRIVATE)
    size = len(PRIVATE + message(1, b"hidden words 1\r\n"))
    desk.hidden()
    desk.inbox.copy([1], desk.house.account.folder("Archive"))
    (name,) = desk.house.files(".Archive")["cur"]
    assert f",S={size},W={size}" in name


def test_files_with_other_line_ends(make_desk):
    """A file of another program is withheld in CRLF form; shown again it has the size it had."""
    desk = make_desk()
    octets = (PRIVATE + message(1, b"hidden words\r\n")).replace(b"\r\n", b"\n")
    desk.house.store.deliver("u-robin", desk.house.write(octets), "1700000001.foreign")
    before = desk.everything()[1]
    desk.cos.is_now(STRICT)
    assert desk.everything()[2][1] == withheld_form(octets, Reason.PRIVATE)
    desk.cos.is_now(NOTHING)
    assert desk.everything()[3][1] == before[1] and desk.inbox.rows([3], ["size"])[0][1] == before[0][1]


def test_receipts_of_what_was_not_heard(make_desk):
    """Reading the withheld form owes nothing; deleting it then tells that it was deleted unheard."""
    desk = make_desk(DEFAULT)
    desk.deliver_asking(b"yes", b"no")
    desk.inbox.store([1, 2], "add", ["\\Seen"])
    assert [(one.kind, one.trace) for one in desk.house.account.owed()] == [("displayed", f"{TRACE}01")]
    assert "$MDNSent" not in flags_of(desk.inbox)[1]
    desk.inbox.store([1, 2], "add", ["\\Deleted"])
    desk.inbox.expunge()
    assert [(one.kind, one.trace) for one in desk.house.account.owed()] == [
        ("displayed", f"{TRACE}01"), ("deleted", f"{TRACE}00")]


def test_receipts_follow_the_message(make_desk):
    """A message shown again after a change of class still owes its receipt when it is read."""
    desk = make_desk(DEFAULT)
    desk.deliver_asking(b"yes")
    desk.everything()
    desk.cos.is_now(NOTHING)
    (uid,) = desk.uids()
    desk.inbox.store([uid], "add", ["\\Seen"])
    assert [(one.kind, one.trace) for one in desk.house.account.owed()] == [("displayed", f"{TRACE}00")]


def test_what_was_read_before_stays_so(make_desk):
    """A message that was read once, and is marked as new, is not read for the first time under its new UID."""
    desk = make_desk()
    desk.deliver(b"", b"", ours=b"sensitivity=private; secure=no")
    desk.hidden()
    desk.inbox.store([1], "add", ["\\Seen"])
    desk.inbox.store([1], "remove", ["\\Seen"])
    desk.cos.is_now(STRICT)
    account = desk.house.account
    assert [account.traces_of([desk.inbox.id_of(uid)]) for uid in desk.uids()] == [[], [f"{TRACE}02"]]


def test_threads_stay(make_desk):
    """THREADID is the conversation's, whatever is shown of its messages."""
    desk = make_desk()
    desk.deliver(PRIVATE, b"")
    before = dict(desk.inbox.rows([1, 2], ["threadid"]))
    desk.cos.is_now(STRICT)
    after = dict(desk.inbox.rows(desk.uids(), ["threadid"]))
    assert after == {2: before[2], 3: before[1]}


def test_nothing_is_left_of_the_other_form(make_desk):
    """What was rendered of the whole message leaves the index with it."""
    desk = make_desk()
    desk.deliver(PRIVATE)
    desk.everything()
    desk.cos.is_now(STRICT)
    desk.uids()
    for table in ("summaries", "fields", "terms", "previews"):
        assert desk.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    desk.everything()
    assert desk.rows("SELECT content FROM secrecy") == desk.rows("SELECT content FROM facts")


def test_a_change_that_fails_half_way(make_desk, monkeypatch):
    """Nothing of it is done, nothing of the body is shown meanwhile, and the next look does all of it."""
    desk = make_desk()
    desk.deliver(PRIVATE, b"")
    before = desk.everything()
    tables = ("messages", "files", "facts", "expunged", "withholding")
    desk.cos.is_now(STRICT)
    with monkeypatch.context() as spoiled:
        spoiled.setattr(renewing, "drop_unused", fail)
        was = [desk.rows(f"SELECT * FROM {table}") for table in tables]
        for ask in (lambda: desk.inbox.content(1), lambda: desk.inbox.rows([1], COLUMNS), desk.inbox.refresh):
            with pytest.raises(Trouble):
                ask()
        assert [desk.rows(f"SELECT * FROM {table}") for table in tables] == was
    assert list(desk.inbox.refresh().uids) == [2, 3] and desk.hidden() == {2: False, 3: True}
    assert desk.everything()[2] == before[2]


def fail(index, contents):
    raise sqlite3.OperationalError("disk I/O error")


def test_renamed_and_flagged_meanwhile(make_desk):
    """File names go on following flags under the new UIDs."""
    desk = make_desk()
    desk.deliver(PRIVATE)
    desk.hidden()
    desk.inbox.store([1], "add", ["\\Flagged"])
    desk.cos.is_now(STRICT)
    (uid,) = desk.uids()
    desk.house.store.settle()
    assert [name.endswith(":2,F") for name in desk.house.files()["cur"]] == [True] and not desk.house.files()["new"]
    desk.inbox.store([uid], "add", ["\\Deleted"])
    desk.inbox.expunge()
    desk.house.store.settle()
    assert desk.house.files() == {"new": [], "cur": []} and len(desk.house.account.deleted()) == 1


def test_an_index_of_the_version_before(tmp_path):
    """It is upgraded; rows of one content that had a size here and none there have it everywhere."""
    house = House(tmp_path)
    house.deliver()
    house.inbox.refresh()
    house.inbox.copy([1], house.account.folder("Archive"))
    house.store.close()
    connection = sqlite3.connect(house.path("unitymail.index"))
    for table in ("secrecy", "withholding"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("UPDATE facts SET size = NULL WHERE id = (SELECT max(id) FROM facts)")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    cos = Class(ONLY_HEADERS)
    house.settings["withholder"] = cos
    house.store = house.open()
    index = Index(house.disk, house.path())
    assert index.one("PRAGMA user_version")[0] == schema.VERSION
    assert index.one("SELECT count(size), count(DISTINCT size) FROM facts") == (2, 1)
    index.close()
    assert b"Hello" not in house.octets(house.inbox, next(iter(house.inbox.refresh().uids)))
    house.close()


def test_a_large_folder(make_desk):
    """A folder that is kept in packed form comes back with the new UIDs, in this process and in the next one."""
    desk = make_desk()
    desk.deliver(*[PRIVATE, b""] * 300)
    desk.inbox.rows(desk.uids(), ["size"])
    desk.house.reopen()
    assert desk.uids() == list(range(1, 601))
    desk.cos.is_now(STRICT)
    expected = [*range(2, 601, 2), *range(601, 901)]
    assert desk.uids() == expected
    desk.house.reopen()
    assert desk.uids() == expected and len(desk.inbox.vanished_since(0)) == 300
    assert desk.inbox.status().messages == desk.house.account.usage()[1] == 600
