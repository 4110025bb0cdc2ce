"""Maildirs as other servers leave them: LF ends, names of their own, and what they note beside the mail."""

import os

DOVECOTS_LIST = b"3 V1500000000 N9 Gabc\n3 :100.M1.h\n4 W80 :101.M1.h,S=70:2,S\n8 :102.M1.h\n"


class Maildir:
    """A Maildir++ at `path`, written as Dovecot or Courier do."""

    def __init__(self, path):
        self.path = str(path)
        self.folder()

    def folder(self, directory=""):
        place = os.path.join(self.path, directory)
        for part in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(place, part), exist_ok=True)
        return place

    def add(self, name, octets=None, directory="", part="cur", date=1_600_000_000):
        """A file; its octets name it unless they are given."""
        path = os.path.join(self.folder(directory), part, name)
        base = name.partition(":")[0]
        with open(path, "wb") as file:
            file.write(octets if octets is not None else letter(base))
        os.utime(path, (date, date))
        return path

    def note(self, name, octets, directory=""):
        place = os.path.join(self.folder(directory), name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as file:
            file.write(octets)

    def everything(self):
        """Path → octets of all that is there."""
        found = {}
        for place, _, names in os.walk(self.path):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:
                    found[os.path.join(place, name)] = file.read()
        return found


def letter(token):
    """A message with LF ends."""
    return f"From: jo@example.net\nMessage-ID: <{token}@example.net>\nSubject: {token}\n\nbody of {token}\n".encode()


def dovecot(path):
    """An INBOX with a gap, an unlisted newcomer and a stale line; folders; keywords; subscriptions of version 2."""
    box = Maildir(path)
    box.note("dovecot-uidlist", DOVECOTS_LIST + b"9 :103.gone\n")
    box.note("dovecot-keywords", b"0 Work\n1 $Label1\n")
    box.note("subscriptions", b"V\t2\n\nINBOX\nWork\nWork\tS&APw-b\nGone\n")
    box.add("100.M1.h:2,Sab")
    box.add("101.M1.h,S=70:2,FRT")
    box.add("102.M1.h:2,")
    box.add("104.new.h", part="new")
    box.add("1.one:2,S", directory=".Work")
    box.note("dovecot-uidlist", b"3 V1500000001 N2 Gdef\n1 :1.one\n", ".Work")
    box.add("2.two:2,Sa", directory=".Work.S&APw-b")
    box.note("dovecot-uidlist", b"3 V1500000002 N8 G0\n7 :2.two\n", ".Work.S&APw-b")
    box.note("dovecot-keywords", b"0 Other\n", ".Work.S&APw-b")
    return box


def courier(path):
    """The same of Courier: its list of UIDs, its keywords and updates of them, its subscriptions below INBOX."""
    box = Maildir(path)
    box.note("courierimapuiddb", b"1 400000000 12\n5 100.M1.h\n11 101.M1.h,S=70\n")
    box.note("courierimapkeywords/:list", b"Work\n$Label1\n\n100.M1.h:0 1\n101.M1.h,S=70:0\n")
    box.note("courierimapkeywords/.1.101.M1.h,S=70", b"Old\n")
    box.note("courierimapkeywords/.2.101.M1.h,S=70", b"Later\n$Label1\n")
    box.note("courierimapsubscribed", b"INBOX.Sent\nINBOX.Caf&AOk-\n")
    box.add("100.M1.h:2,S")
    box.add("101.M1.h,S=70:2,FRT")
    box.add("9.sent:2,S", directory=".Sent")
    box.note("courierimapuiddb", b"1 400000001 4\n3 9.sent\n", ".Sent")
    box.folder(".Caf&AOk-")
    return box
