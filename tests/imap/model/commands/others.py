"""What happens beside commands: mail arrives, other programs put messages into the Maildir and take some away."""

import os

from tests.fakes import ROBIN
from tests.imap.model.commands.arguments import is_full
from tests.imap.model.commands.messages import expunge

LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}


def deliver(play, talk):
    """Mail arrives: whoever looks next sees it."""
    if is_full(play.boxes["INBOX"]):
        return play.instead(expunge, talk)
    letter = play.letter()
    path = os.path.join(play.directory, f"m{play.number}")
    _write(path, letter)
    account = play.store.account(ROBIN.id)
    size = len(letter.octets)
    play.store.deliver(account.id, path, f"{1_700_000_000 + play.number}.M1P1.test,S={size},W={size}")
    return _came(play, frozenset(), letter)


def put(play, talk):
    """Another program puts a message into the Maildir, marked as it likes."""
    if is_full(play.boxes["INBOX"]):
        return play.instead(expunge, talk)
    letter = play.letter()
    letters = "".join(sorted(play.random.sample(sorted(LETTERS), play.random.randint(0, 2))))
    inbox = play.store.account(ROBIN.id).folder("INBOX")
    name = f"{1_700_000_000 + play.number}.Other_{play.number}.elsewhere:2,{letters}"
    _write(os.path.join(os.fsdecode(inbox.path), "cur", name), letter)
    return _came(play, frozenset(map(LETTERS.get, letters)), letter)


def _write(path, letter):
    with open(path, "wb") as file:
        file.write(letter.octets)
    os.utime(path, (letter.arrived, letter.arrived))


def _came(play, flags, letter):
    play.store.account(ROBIN.id).folder("INBOX").refresh()
    play.boxes["INBOX"].add([(flags, letter)])
    play.house.doorbell.ring(ROBIN.id, "INBOX")


def take_away(play, talk):
    """Another program removes a message from the Maildir: one of which there is no copy beside it."""
    box, inbox = play.boxes["INBOX"], play.store.account(ROBIN.id).folder("INBOX")
    files = {}
    for part in ("cur", "new"):
        for entry in os.scandir(os.path.join(os.fsdecode(inbox.path), part)):
            with open(entry.path, "rb") as file:
                files.setdefault(file.read(), []).append(entry.path)
    there = [message.letter.octets for message in box.messages]
    some = [
        one for one in box.messages
        if there.count(one.letter.octets) == len(files.get(one.letter.octets, ())) == 1
    ]  # fmt: skip
    if some:
        taken = play.random.choice(some)
        os.unlink(files[taken.letter.octets][0])
        inbox.refresh()
        box.remove({taken.uid})
        box.lost.add(taken.uid)
        play.house.doorbell.ring(ROBIN.id, "INBOX")
