"""Two hands in one Maildir, clients of ours and another program, against a plain model of what must come of it.

Whatever they do, and in whatever order: no message is lost, none is there twice, flags are as both wanted, and a UID
means one message for ever.
"""

import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.power.recording import HastyDisk
from tests.store.house import House
from unitymail.store.checking import examine
from unitymail.store.maildir import FLAG_OF, LETTER_OF, split
from unitymail.store.names import directory_of

LETTERS = "DFPRST"
FLAGS = sorted(LETTER_OF)
NAMES = ("INBOX", "Work", "Work/Deep", "Play", "Sent")
choices = st.integers(0, 10**6)
CHANGES = st.lists(st.sets(st.sampled_from(LETTERS)), min_size=1, max_size=4)


def letters_of(flags):
    return frozenset(chr(LETTER_OF[flag]) for flag in flags if flag in LETTER_OF)


def flags_for(letters):
    return frozenset(FLAG_OF[ord(letter)] for letter in letters)


@dataclass
class One:
    """A message of the model. `flags`: what a client sees; `seen`: the letters that the store last saw, None before it
    saw the file; `now`: those that the file has, None when it is gone."""

    token: str
    flags: frozenset
    seen: frozenset | None
    now: frozenset | None

    def look(self):
        """The store looks at the file: only what changed against the name last seen is taken over."""
        if self.seen is None:
            self.flags = flags_for(self.now)
        else:
            self.flags = (self.flags - flags_for(self.seen - self.now)) | flags_for(self.now - self.seen)
        self.seen = self.now

    @property
    def waits(self):
        return self.seen is not None and letters_of(self.flags) != self.seen


class TwoHands(RuleBasedStateMachine):
    """`model[folder][base]` are the messages; `left[folder]` names that a client expunged or moved away; `removed` are
    folders that the other hand removed: what comes under their names is taken for them."""

    @initialize()
    def begin(self):
        self.place = tempfile.mkdtemp()
        self.house = House(self.place, disk=HastyDisk())
        self.tokens = 0
        self.model = {"INBOX": {}}
        self.left = {"INBOX": set()}
        self.meaning = {}
        self.removed = set()
        self.house.account.folders()
        for name in ("Archive", "Deleted Items", "Drafts", "Junk", "Sent"):
            self.house.account.delete(name)
        self.client_creates(name="Work")
        for number in range(8):
            self.other_delivers(which=number, letters={"S"} if number > 4 else set(), new=number % 3 == 0)
        self.look()
        self.house_settles()

    def teardown(self):
        if not hasattr(self, "house"):
            return
        try:
            self.at_rest()
        finally:
            self.house.close()
            shutil.rmtree(self.place)

    # what both know

    def token(self):
        self.tokens += 1
        return f"t{self.tokens}"

    def octets(self, token):
        return f"Subject: {token}\n\nbody of {token}\n".encode()

    def directory(self, name):
        return self.house.path(*filter(None, [directory_of(name)]))

    def pick(self, which):
        """A folder's name."""
        names = sorted(self.model)
        return names[which % len(names)]

    def files(self, name):
        """(part, name of file) of all that is on disk, those that are about to leave too."""
        place = self.directory(name)
        return [(part, file) for part in ("cur", "new") for file in sorted(os.listdir(os.path.join(place, part)))]

    def pick_file(self, name, which):
        found = self.files(name)
        return found[which % len(found)] if found else None

    def look(self):
        """A client's command: the folder is looked at, later than any time stamp can hide."""
        self.house.now.ahead += 5
        for name in list(self.model):
            self.house.account.folder(name).refresh()
            self.looked_at(name)

    def looked_at(self, name):
        for base, one in list(self.model[name].items()):
            if one.now is None:
                del self.model[name][base]
            else:
                one.look()

    def bases(self, folder, uids):
        with folder.access.using() as index:
            return [
                os.fsdecode(index.one("SELECT base FROM files WHERE id = ?", folder.id_of(uid))[0]) for uid in uids
            ]

    def some(self, folder, which, most=3):
        uids = list(folder.snapshot.uids)
        if not uids:
            return []
        first = which % len(uids)
        return uids[first : first + 1 + which % most]

    # clients of ours

    @rule(which=choices, flags=st.sets(st.sampled_from(FLAGS)))
    def client_appends(self, which, flags):
        name, token = self.pick(which), self.token()
        self.look()
        folder = self.house.account.folder(name)
        uid = self.house.append(folder, flags, self.octets(token).replace(b"\n", b"\r\n"))
        letters = letters_of(flags)
        self.model[name][self.bases(folder, [uid])[0]] = One(token, frozenset(flags), letters, letters)

    @rule(which=choices, change=st.sampled_from(["add", "remove", "replace"]), flags=st.sets(st.sampled_from(FLAGS)),
          blind=st.booleans())  # fmt: skip
    def client_stores(self, which, change, flags, blind):
        """`blind`: a moment after another look, so that what the other hand did is not known yet."""
        name = self.pick(which)
        folder = self.house.account.folder(name)
        if not (blind and folder.loaded):
            self.look()
        uids = self.some(folder, which)
        bases = self.bases(folder, uids)
        if not self.model[name].keys() >= set(bases):
            return  # the folder was removed and made again, and nobody has looked
        folder.store(uids, change, flags)
        for base in bases:
            one = self.model[name][base]
            new = {"add": one.flags | flags, "remove": one.flags - flags, "replace": frozenset(flags)}[change]
            one.flags = frozenset(new)

    @rule(which=choices)
    def client_expunges(self, which):
        self.look()
        name = self.pick(which)
        folder = self.house.account.folder(name)
        uids = self.some(folder, which)
        bases = self.bases(folder, uids)
        folder.store(uids, "add", ["\\Deleted"])
        folder.expunge(uids)
        for base in bases:
            del self.model[name][base]
            self.left[name].add(base)

    @rule(which=choices, to=choices, move=st.booleans())
    def client_copies(self, which, to, move):
        name, target = self.pick(which), self.pick(to)
        self.look()
        folder, other = self.house.account.folder(name), self.house.account.folder(target)
        uids = self.some(folder, which)
        if move and folder is other:
            return
        sources = self.bases(folder, uids)
        done = folder.move(uids, other) if move else folder.copy(uids, other)
        assert list(done.sources) == uids
        for base, fresh in zip(sources, self.bases(other, done.targets), strict=True):
            one = self.model[name][base]
            letters = letters_of(one.flags)
            self.model[target][fresh] = One(one.token, one.flags, letters, letters)
            if move:
                del self.model[name][base]
                self.left[name].add(base)

    @rule(what=st.sampled_from(["create", "delete", "rename"]), which=choices, name=st.sampled_from(NAMES))
    def client_works_on_folders(self, what, which, name):
        if what == "create":
            self.client_creates(name)
        elif what == "delete":
            self.client_deletes(which)
        else:
            self.client_renames(which, name)

    def client_creates(self, name):
        self.look()
        if name not in self.model:
            self.house.account.create(name)
            for folder in [info.name for info in self.house.account.folders() if info.selectable]:
                if folder not in self.model:
                    self.model[folder], self.left[folder] = {}, set()

    def client_deletes(self, which):
        self.look()
        if (name := self.pick(which)) != "INBOX" and len(self.model) > 2:
            self.house.account.delete(name)
            del self.model[name], self.left[name]

    def client_renames(self, which, name):
        self.look()
        old = self.pick(which)
        family = [one for one in self.model if one == old or one.startswith(old + "/")]
        wanted = {one: name + one[len(old) :] for one in family}
        if "INBOX" in (old, name) or name in self.model or name.startswith(old + "/"):
            return
        if set(wanted.values()) & set(self.model) - set(family):
            return
        self.house.account.rename(old, name)
        for info in self.house.account.folders():  # parents that were made
            if info.selectable and info.name not in self.model and info.name not in wanted.values():
                self.model[info.name], self.left[info.name] = {}, set()
        moved = {after: (self.model.pop(before), self.left.pop(before)) for before, after in wanted.items()}
        for after, (messages, left) in moved.items():
            self.model[after], self.left[after] = messages, left

    @rule(which=choices, change=st.sampled_from(["add", "remove", "replace"]), flags=st.sets(st.sampled_from(FLAGS)),
          changes=CHANGES, settled=st.booleans())  # fmt: skip
    def both_flag_at_once(self, which, change, flags, changes, settled):
        """Neither knows what the other does, and the names follow before anybody has looked, or after."""
        self.client_stores(which=which, change=change, flags=flags, blind=True)
        self.other_flags(which=which, changes=changes)
        if settled:
            self.house_settles()
        self.everybody_looks()

    # the other hand

    def arrives(self, name, base, token, letters):
        """Unless a client of ours has expunged a message of this name here."""
        if base not in self.left[name]:
            self.model[name][base] = One(token, frozenset(), None, letters)

    @rule(which=choices, letters=st.sets(st.sampled_from(LETTERS)), new=st.booleans())
    def other_delivers(self, which, letters, new):
        name, token = self.pick(which), self.token()
        base = f"{1_600_000_000 + self.tokens}.{token}.other"
        suffix = "" if new else ":2," + "".join(sorted(letters))
        temporary = os.path.join(self.directory(name), "tmp", base)
        with open(temporary, "wb") as file:
            file.write(self.octets(token))
        os.rename(temporary, os.path.join(self.directory(name), "new" if new else "cur", base + suffix))
        self.arrives(name, base, token, frozenset() if new else frozenset(letters))

    @rule(which=choices, changes=CHANGES)
    def other_flags(self, which, changes):
        """Into cur/, with these letters, one file after the other."""
        name = self.pick(which)
        for number, letters in enumerate(changes):
            if (found := self.pick_file(name, which + number)) is not None:
                self.flag(name, *found, letters)

    def flag(self, name, part, file, letters):
        base = file.partition(":2,")[0]
        place = self.directory(name)
        os.rename(os.path.join(place, part, file), os.path.join(place, "cur", base + ":2," + "".join(sorted(letters))))
        if base in self.model[name]:
            self.model[name][base].now = frozenset(letters)

    def taken_away(self, name, base):
        """The token of the message whose file goes."""
        one = self.model[name].get(base)
        if one is None:
            return None
        if one.seen is None:
            del self.model[name][base]  # nobody has seen it
        else:
            one.now = None
        return one.token

    def other_removes(self, which):
        name = self.pick(which)
        if (found := self.pick_file(name, which)) is not None:
            os.unlink(os.path.join(self.directory(name), *found))
            self.taken_away(name, found[1].partition(":2,")[0])

    @rule(which=choices, to=choices)
    def other_takes(self, which, to):
        """A file away, or from one folder to another."""
        if to % 4:
            self.other_moves(which, to)
        else:
            self.other_removes(which)

    @rule(which=choices)
    def other_delivers_again(self, which):
        """What a client expunged, or moved away, does not come back under its name."""
        self.client_expunges(which=which)
        self.house_settles()
        name = self.pick(which)
        there = {file.partition(":2,")[0] for _, file in self.files(name)}
        if again := sorted(self.left[name] - there):
            base = again[which % len(again)]
            with open(os.path.join(self.directory(name), "new", base), "wb") as file:
                file.write(self.octets("again"))
            self.arrives(name, base, "again", frozenset())

    def other_moves(self, which, to):
        """Under the same name."""
        name, target = self.pick(which), self.pick(to)
        found = self.pick_file(name, which)
        if found is None or name == target:
            return
        part, file = found
        base, suffix = map(os.fsdecode, split(os.fsencode(file)))
        if any(other.partition(":2,")[0] == base for _, other in self.files(target)):
            return
        path = os.path.join(self.directory(name), part, file)
        with open(path, "rb") as opened:
            token = opened.readline().split()[1].decode()
        os.rename(path, os.path.join(self.directory(target), part, file))
        self.taken_away(name, base)
        gone = self.model[target].get(base)
        letters = frozenset(suffix[3:])
        if gone is not None and gone.seen is not None:
            gone.now, gone.token = letters, token  # it was there a moment ago, and is there again: nobody noticed
        else:
            self.arrives(target, base, token, letters)

    @rule(what=st.sampled_from(["rename", "make", "remove"]), which=choices, name=st.sampled_from(NAMES))
    def other_works_on_folders(self, what, which, name):
        if what == "rename":
            self.other_renames_a_folder(which, name)
        elif what == "make":
            self.other_makes_a_folder(name)
        else:
            self.other_removes_a_folder(which)

    def other_renames_a_folder(self, which, name):
        """It keeps UIDs and MAILBOXID as far as anything tells that it is the same."""
        self.look()
        old = self.pick(which)
        if "INBOX" in (old, name) or name in self.model:
            return
        before = self.house.account.folder(old).id
        os.rename(self.directory(old), self.directory(name))
        self.model[name], self.left[name] = self.model.pop(old), self.left.pop(old)
        if self.house.account.folder(name).id != before:
            assert not self.files(name) or name in self.removed
            self.removed.add(old)
            self.forget_meanings(name)

    def other_makes_a_folder(self, name):
        if name not in self.model:
            for part in ("tmp", "new", "cur"):
                os.makedirs(os.path.join(self.directory(name), part))
            self.model[name], self.left[name] = {}, set()
            self.forget_meanings(name)

    def other_removes_a_folder(self, which):
        if (name := self.pick(which)) != "INBOX" and len(self.model) > 2:
            shutil.rmtree(self.directory(name))
            self.removed.add(name)
            del self.model[name], self.left[name]

    def forget_meanings(self, name):
        """A row of a folder that was removed may still be there: what it remembers as expunged counts."""
        with self.house.account.access.using() as index:
            row = index.one("SELECT id FROM folders WHERE directory = ?", os.fsencode(directory_of(name)))
            if row is not None:
                names = index.all("SELECT base FROM expunged WHERE id >> 32 = ? AND kind <> 2", row[0])
                self.left[name] = {os.fsdecode(base) for (base,) in names if base}

    # the house

    @rule(what=st.sampled_from(["settle", "settle", "crash", "reopen", "check", "repair"]))
    def house_works(self, what):
        if what == "settle":
            self.house_settles()
        elif what in ("crash", "reopen"):
            self.house_begins_anew(crash=what == "crash")
        else:
            self.house_is_checked(repair=what == "repair")

    def house_settles(self):
        """Names follow flags; where files leave, or one is not where it was, the folder is looked at."""
        self.house.now.ahead += 5
        with self.house.account.access.using() as index:
            rows = index.all("SELECT name FROM folders WHERE id IN (SELECT id >> 32 FROM expunged WHERE base IS NULL)")
        for _ in range(3):
            self.house.store.settle()
        for name, messages in self.model.items():
            if (name,) in rows or any(one.waits and one.now != one.seen for one in messages.values()):
                self.looked_at(name)
            for one in messages.values():
                if one.waits and one.now == one.seen:
                    one.seen = one.now = letters_of(one.flags)

    def house_begins_anew(self, crash):
        self.look()
        self.house_settles()
        self.house.crash() if crash else self.house.reopen()

    def house_is_checked(self, repair):
        """What clients and the other hand do is never taken for damage."""
        self.look()
        found = examine(self.house.account, repair=repair).findings
        assert all(finding.kind == "lost directory" for finding in found), found

    @rule()
    def everybody_looks(self):
        self.look()
        for name, messages in self.model.items():
            folder = self.house.account.folder(name)
            snapshot = folder.refresh()
            found = Counter()
            for uid, number in zip(snapshot.uids, snapshot.flags, strict=True):
                token = self.house.octets(folder, uid).split()[1].decode()
                assert self.meaning.setdefault((folder.id, snapshot.uidvalidity, uid), token) == token
                found[token, snapshot.combinations[number]] += 1
            wanted = Counter((one.token, one.flags) for one in messages.values())
            assert found == wanted, (name, found - wanted, wanted - found)
            assert list(snapshot.uids) == sorted(set(snapshot.uids))
        selectable = {info.name for info in self.house.account.folders() if info.selectable}
        assert selectable == set(self.model)

    @invariant()
    def nobody_is_surprised(self):
        """The folders that somebody has open can always be asked."""
        if hasattr(self, "house"):
            self.house.account.subscriptions()

    def at_rest(self):
        """In the end files, names and rows are one."""
        self.everybody_looks()
        for _ in range(3):
            self.house_settles()
        self.everybody_looks()
        for name, messages in self.model.items():
            names = {f"{base}:2,{''.join(sorted(letters_of(one.flags)))}" for base, one in messages.items()}
            assert self.files(name) == [("cur", file) for file in sorted(names)], name
        assert all(finding.kind == "lost directory" for finding in examine(self.house.account).findings)


TwoHands.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTwoHands = TwoHands.TestCase
