"""Other programs work in the Maildir while clients are connected; another server's Maildir becomes a mailbox."""

import contextlib
import mailbox
import os
import re
import shutil
import time

import pytest

from tests.stories.dovecot import Dovecot
from tests.stories.house import fetch_all, until

WITHIN_S = 5


def letter(token):
    return f"From: jo@example.net\nSubject: {token}\n\nbody of {token}\n".encode()


class Idling:
    """A client that idles in a folder, and what it is told."""

    def __init__(self, box, folder="INBOX"):
        self.box = box
        box.select(f'"{folder}"')
        box.send(b"i1 IDLE\r\n")
        assert box.readline() == b"+ idling\r\n"

    def hears(self, *words):
        """The first line that has all the words, which must come soon."""
        began = time.monotonic()
        while True:
            line = self.box.readline()
            if all(word in line for word in words):
                assert time.monotonic() - began < WITHIN_S + 1, line
                return line
            assert line.startswith(b"* ") and not line.startswith(b"* BYE"), line

    def done(self):
        self.box.send(b"DONE\r\n")
        while not (line := self.box.readline()).startswith(b"i1 "):
            pass
        assert line.startswith(b"i1 OK")
        return self.box


@contextlib.contextmanager
def clients(house, count=1):
    """Connections that are cut at the end, whatever the story left them at."""
    with contextlib.ExitStack() as open_ones:
        boxes = []
        for _ in range(count):
            boxes.append(house.imap("chris"))
            open_ones.callback(boxes[-1].shutdown)
        yield boxes


def maildir(house, alias="chris", *folder):
    """Python's own idea of the mailbox."""
    return mailbox.Maildir(str(house.account(alias).joinpath(*folder)), create=False)


def test_another_program_works_while_a_client_idles(house):
    """Within seconds it hears of mail, flags, and removed files, with the sequence numbers that it knows."""
    with clients(house) as (box,):
        client = Idling(box)
        other = maildir(house)
        keys = [other.add(letter(f"m{number}")) for number in range(3)]
        client.hears(b"* 3 EXISTS")
        message = other[keys[1]]
        message.set_subdir("cur")
        message.set_flags("FS")
        other[keys[1]] = message
        assert b"\\Flagged" in client.hears(b"* 2 FETCH", b"\\Seen")
        other.remove(keys[0])
        client.hears(b"* 1 EXPUNGE")
        box = client.done()
        assert sorted(fetch_all(box, what="BODY.PEEK[]").values()) == sorted(
            letter(f"m{number}").replace(b"\n", b"\r\n") for number in (1, 2)
        )


def test_a_folder_is_renamed_and_removed_under_a_client(house):
    """Who has it open goes on in it under its new name, and is told when it is gone."""
    with clients(house, 2) as (box, second):
        box.create("Work")
        box.append("Work", "(\\Seen)", None, letter("one").replace(b"\n", b"\r\n"))
        home = house.account("chris")
        client = Idling(box, "Work")
        os.rename(home / ".Work", home / ".Play.Deep")
        maildir(house, "chris", ".Play.Deep").add(letter("two"))
        client.hears(b"* 2 EXISTS")
        listed = b"".join(second.list()[1])
        assert b"Play/Deep" in listed and b"Work" not in listed
        second.select("Play/Deep")
        assert second.uid("SEARCH", "SEEN")[1] == [b"1"]
        shutil.rmtree(home / ".Play.Deep")
        assert b"deleted" in client.hears(b"* BYE")


def test_a_storm_of_flags(house):
    """Another program flags without a pause while clients store, move and expunge: nobody loses or doubles anything."""
    with clients(house, 2) as (box, second):
        other = maildir(house)
        for number in range(60):
            other.add(letter(f"m{number}"))
        box.select("INBOX"), second.select("INBOX")
        until(lambda: len(box.uid("SEARCH", "ALL")[1][0].split()) == 60, "not all messages came")
        cur = house.account("chris") / "cur"
        for round in range(8):
            for name in sorted(os.listdir(cur))[round::8]:
                base, _, letters = name.partition(":2,")
                flagged = "".join(sorted(set(letters) ^ {"F"}))
                with contextlib.suppress(FileNotFoundError):  # the node was quicker
                    os.rename(cur / name, cur / f"{base}:2,{flagged}")
            box.noop(), second.noop()
            uids = box.uid("SEARCH", "ALL")[1][0].split()
            second.uid("STORE", ",".join(map(bytes.decode, uids[:5])), "+FLAGS", "(\\Seen work)")
            assert box.uid("MOVE", uids[-1].decode(), "Archive")[0] == "OK"
            second.uid("STORE", uids[0].decode(), "+FLAGS", "(\\Deleted)")
            assert second.uid("EXPUNGE", uids[0].decode())[0] == "OK"
        left, moved = fetch_all(box), fetch_all(box, "Archive")
        subjects = [octets.split(b"Subject: ")[1].split(b"\r\n")[0] for octets in (*left.values(), *moved.values())]
        assert len(left) == 44 and len(moved) == 8 and len(set(subjects)) == 52
    assert house.ask("mailbox", "check", "chris")["sound"]


def test_a_check_while_the_node_runs(house):
    """Damage is found and mended beside connected clients, who go on."""
    with house.imap("chris") as box:
        other = maildir(house)
        for number in range(3):
            other.add(letter(f"m{number}"))
        box.select("INBOX")
        until(lambda: box.uid("SEARCH", "ALL")[1] == [b"1 2 3"], "the mail did not come")
        home = house.account("chris")
        name = os.listdir(home / "cur")[0] if os.listdir(home / "cur") else os.listdir(home / "new")[0]
        part = "cur" if (home / "cur" / name).exists() else "new"
        with open(home / part / name, "ab") as file:
            file.write(b"and more\n")
        (home / "unitymail.subscriptions").write_bytes(b"\xff\nArchive\n")
        found = house.run("--json", "mailbox", "check", "chris", check=False)
        assert found.returncode == 1 and '"sizes"' in found.stdout and '"subscriptions"' in found.stdout
        assert house.ask("mailbox", "check", "chris", "--repair")["sound"]
        until(lambda: b"4" in box.uid("SEARCH", "ALL")[1][0], "the client does not see the new UID")
        assert any(octets.endswith(b"and more\r\n") for octets in fetch_all(box).values())


def test_dovecots_mailbox_is_taken_over(house):
    """A real Dovecot's mail as its clients left it: UIDs, flags, keywords, folders, subscriptions; nothing twice."""
    with Dovecot() as dovecot:
        for number in range(6):
            dovecot.deliver(letter(f"m{number}"))
        with dovecot.imap() as box:
            for name in ("Work", "Work/Deep", "&AOk-t&AOk-", "R&-D"):
                box.create(f'"{name}"')
            for name in ("Work/Deep", "&AOk-t&AOk-"):
                box.subscribe(f'"{name}"')
            box.select("INBOX")
            box.uid("STORE", "2:3", "+FLAGS", "(\\Seen \\Answered Important $Label1)")
            box.uid("STORE", "4", "+FLAGS", "(\\Flagged)")
            box.uid("COPY", "3:4", '"Work/Deep"')
            box.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
            box.expunge()
            box.append('"&AOk-t&AOk-"', "(\\Draft)", '" 1-Jan-2020 10:00:00 +0000"', letter("old"))
            theirs = {name: seen(box, name) for name in ("INBOX", "Work/Deep", "&AOk-t&AOk-", "R&-D")}
        place = str(dovecot.mail)
        dry = house.ask("mailbox", "import", "chris", place, "--in-place", "--dry-run")
        done = house.ask("mailbox", "import", "chris", place, "--in-place")
        assert (done["taken"], done["folders"]) == (8, dry["folders"])
        with house.imap("chris") as box:
            assert {name: seen(box, name) for name in theirs} == theirs
            subscribed = b"".join(box.lsub()[1])
            assert b"Work/Deep" in subscribed and b"&AOk-t&AOk-" in subscribed
        dovecot.deliver(letter("late"))
        with dovecot.imap() as box:
            box.select("INBOX")
        assert house.ask("mailbox", "import", "chris", place, "--in-place")["taken"] == 1
        with house.imap("chris") as box:
            assert list(seen(box, "INBOX")[2]) == [2, 3, 4, 5, 6, 7]
        assert house.ask("mailbox", "check", "chris")["sound"]


@pytest.fixture
def both(house):
    """A real Dovecot over the Maildir that the node serves: both at work in it at once."""
    house.ask("mailbox", "list", "chris")
    with Dovecot(house.account("chris")) as dovecot:
        yield house, dovecot


def test_dovecot_works_in_the_same_maildir(both):
    """What a client of Dovecot does reaches ours under IDLE, keywords too, and what ours do reaches Dovecot's."""
    house, dovecot = both
    with clients(house) as (box,), dovecot.imap() as their:
        client = Idling(box)
        for number in range(3):
            dovecot.deliver(letter(f"m{number}"))
        client.hears(b"* 3 EXISTS")
        their.select("INBOX")
        their.store("2", "+FLAGS", "(\\Seen Important)")
        assert b"\\Seen" in client.hears(b"* 2 FETCH", b"Important")
        their.store("1", "+FLAGS", "(\\Deleted)")
        their.expunge()
        client.hears(b"* 1 EXPUNGE")
        box = client.done()
        box.store("1", "-FLAGS", "(Important)")
        box.store("2", "+FLAGS", "(\\Flagged)")

        def dovecot_sees():
            their.noop()
            flags = their.fetch("1:2", "(FLAGS)")[1]
            return b"Important" not in flags[0] and b"\\Flagged" in flags[1] and flags

        until(dovecot_sees, "Dovecot does not see what our client did")
        assert box.uid("MOVE", "2", "Archive")[0] == "OK"

        def moved():
            their.noop()
            their.select("Archive")
            return their.search(None, "ALL")[1] == [b"1"]

        until(moved, "Dovecot does not see the message in Archive")


def seen(box, name):
    """(UIDVALIDITY, UIDNEXT, {UID: (flags, internal date, octets)}) as a client sees a folder."""
    status = box.status(f'"{name}"', "(UIDVALIDITY UIDNEXT)")[1][0]
    box.select(f'"{name}"', readonly=True)
    found = {}
    octets = fetch_all(box, name)
    for uid in octets:
        line = box.uid("FETCH", str(uid), "(FLAGS INTERNALDATE)")[1][0]
        flags = line.partition(b"FLAGS (")[2].partition(b")")[0].split()
        date = line.partition(b'INTERNALDATE "')[2].partition(b'"')[0]
        found[uid] = frozenset(flags) - {b"\\Recent"}, date.strip().rjust(26, b"0"), octets[uid]
    return *(int(re.search(word + rb" (\d+)", status)[1]) for word in (b"UIDVALIDITY", b"UIDNEXT")), found
