"""A store in a temporary directory, with messages to put into it and hands to reach behind its back."""

import os
import time

from unitymail.disk import Disk
from unitymail.policy.withholding import NOTHING, WITHOUT_BOOK, Ruling
from unitymail.store import Store


def message(number=0, body=b"Hello\r\n"):
    """A small message in CRLF form; `number` makes it differ from others."""
    return (
        b"From: Robin Smith <robin@vm1.example.com>\r\nTo: chris@vm1.example.com\r\n"
        b"Subject: number %d\r\nMessage-ID: <%d@test.example>\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\n\r\n" % (number, number)
    ) + body


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


class Class:
    """What a book would say; `name` another rule with `is_now`."""

    def __init__(self, rule=NOTHING):
        self.rule, self.usn = rule, 1

    def is_now(self, rule):
        self.rule, self.usn = rule, self.usn + 1

    def ruling(self, account):
        return Ruling(self.rule, self.usn)

    secrecy = staticmethod(WITHOUT_BOOK.secrecy)


class House:
    """`store` may be reopened, as after a restart, or left without closing it, as after a crash."""

    def __init__(self, directory, disk=None, **settings):
        self.directory = str(directory)
        os.makedirs(self.directory, exist_ok=True)
        self.root = os.path.join(self.directory, "mail")
        self.now = Clock()
        self.settings = settings
        self.disk = disk or Disk()
        self.count = 0
        self.left_behind = []
        self.store = self.open()

    def open(self, disk=None):
        return Store(self.root, disk=disk or self.disk, now=self.now, host="host.example", **self.settings)

    def reopen(self):
        self.store.close()
        self.store = self.open()

    def crash(self, disk=None):
        """Begin anew without closing anything."""
        self.left_behind.append(self.store)
        self.store = self.open(disk)

    def close(self):
        for store in (self.store, *self.left_behind):
            for account in store._opened():
                access = account.access
                if access._index is not None:
                    access._index.connection.close()
                    access._index = None
                if access._write_lock is not None:
                    os.close(access._write_lock._descriptor)
                    access._write_lock = None

    @property
    def account(self):
        return self.store.account("u-robin")

    @property
    def inbox(self):
        return self.account.folder("INBOX")

    def path(self, *parts):
        return os.path.join(self.root, "u-robin", *parts)

    def write(self, octets):
        self.count += 1
        path = os.path.join(self.directory, f"message{self.count}")
        with open(path, "wb") as file:
            file.write(octets)
        return path

    def deliver(self, count=1, *, octets=None, account="u-robin"):
        """So many new messages, in order; their names."""
        names = []
        for _ in range(count):
            body = message(self.count) if octets is None else octets
            path = self.write(body)
            names.append(f"{1_700_000_000 + self.count}.M1P1.test,S={len(body)},W={len(body)}")
            self.store.deliver(account, path, names[-1])
        return names

    def append(self, folder, flags=(), octets=None, date=None):
        self.count += 1
        descriptor, path = self.account.new_file()
        os.write(descriptor, message(self.count) if octets is None else octets)
        os.close(descriptor)
        return folder.append(path, flags, date)

    def files(self, *folder):
        """The names in new/ and cur/ of a folder's directory."""
        return {part: sorted(os.listdir(self.path(*folder, part))) for part in ("new", "cur")}

    def octets(self, folder, uid):
        content = folder.content(uid)
        try:
            return bytes(content.buffer[:])
        finally:
            content.close()


def flags_of(folder):
    """UID → flags, as of the newest snapshot."""
    snapshot = folder.refresh()
    return {
        uid: snapshot.combinations[number] for uid, number in zip(snapshot.uids, snapshot.flags, strict=True)
    }
