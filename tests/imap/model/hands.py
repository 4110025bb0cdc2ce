"""What happens to mailboxes beside commands about messages: mail arrives, other programs work, names change."""

import os

from tests.fakes import ROBIN
from tests.imap.model.mailbox import Mailbox

NAMES = ("Projects", "Plans", "Receipts")
"""What the one mailbox is called, now this and now that, that clients rename and delete."""
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
MOST_MESSAGES = 24


class Hands:
    """Part of a `Play`, which has the store, the model's `boxes`, the clients and `ask`."""

    def deliver(self, wire, client):
        """Mail arrives: whoever looks next sees it."""
        box = self.boxes["INBOX"]
        if len(box.messages) > MOST_MESSAGES:
            return self.expunge(wire, client)
        octets = self.message()
        path = os.path.join(self.directory, f"m{self.number}")
        with open(path, "wb") as file:
            file.write(octets)
        account = self.store.account(ROBIN.id)
        self.store.deliver(account.id, path, f"{1_700_000_000 + self.number}.M1P1.test,S={len(octets)},W={len(octets)}")
        account.folder("INBOX").refresh()
        box.add([(frozenset(), octets)])
        self.house.doorbell.ring(account.id, "INBOX")
        return None

    def put(self, wire, client):
        """Another program puts a message into the Maildir, marked as it likes."""
        box = self.boxes["INBOX"]
        if len(box.messages) > MOST_MESSAGES:
            return self.expunge(wire, client)
        octets = self.message()
        letters = "".join(sorted(self.random.sample(sorted(LETTERS), self.random.randint(0, 2))))
        account = self.store.account(ROBIN.id)
        inbox = account.folder("INBOX")
        name = f"{1_700_000_000 + self.number}.Other_{self.number}.elsewhere:2,{letters}"
        with open(os.path.join(os.fsdecode(inbox.path), "cur", name), "wb") as file:
            file.write(octets)
        inbox.refresh()
        box.add([(frozenset(map(LETTERS.get, letters)), octets)])
        self.house.doorbell.ring(account.id, "INBOX")
        return None

    def take_away(self, wire, client):
        """Another program removes a message from the Maildir: one of which there is no copy beside it."""
        box, account = self.boxes["INBOX"], self.store.account(ROBIN.id)
        inbox = account.folder("INBOX")
        files = {}
        for part in ("cur", "new"):
            for entry in os.scandir(os.path.join(os.fsdecode(inbox.path), part)):
                with open(entry.path, "rb") as file:
                    files.setdefault(file.read(), []).append(entry.path)
        there = [message.octets for message in box.messages]
        some = [one for one in box.messages if there.count(one.octets) == len(files.get(one.octets, ())) == 1]
        if some:
            taken = self.random.choice(some)
            os.unlink(files[taken.octets][0])
            inbox.refresh()
            box.remove({taken.uid})
            box.lost.add(taken.uid)
            self.house.doorbell.ring(account.id, "INBOX")

    def change_mailboxes(self, wire, client):
        """A mailbox is made, gets another name while others look at it, and is deleted when nobody does."""
        box = next((self.boxes[name] for name in NAMES if name in self.boxes), None)
        name = self.random.choice(NAMES)
        if box is None:
            self.made += 1
            self.boxes[name] = box = Mailbox(name, f"made{self.made}")
            return self.ask(wire, f"CREATE {name}", [], f"OK [MAILBOXID (<id:{box.key}>)]")
        if self.random.random() < 0.3 and not any(one.box is box for _, one in self.clients):
            del self.boxes[box.name]
            return self.ask(wire, f"DELETE {box.name}", [], "OK")
        if name == box.name:
            return self.ask(wire, f"RENAME {name} {name}", [], "NO [ALREADYEXISTS]")
        old = box.name
        self.boxes[name] = self.boxes.pop(old)
        box.name = name
        return self.ask(wire, f"RENAME {old} {name}", [], "OK")
