"""A node's courier as far as converting for VPIM goes: locations, contacts, messages beside each other in a folder."""

import base64
import os
from contextlib import contextmanager

from tests.fakes import ROBIN, FakeBook
from tests.sound import INDEX, VECTORS
from unitymail.codec import Codec
from unitymail.courier.vpim_form import VpimForm
from unitymail.interfaces.spool import Item
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.mail.vpim.selection import Refused
from unitymail.people.contact import Contact
from unitymail.people.location import Location, LocationKind
from unitymail.people.user import User
from unitymail.routing import categorise
from unitymail.routing.steps import Convert

HOST = "vm1.example.com"
BRANCH = Location("l-branch", LocationKind.VPIM, "Branch", "branch.example.org", host="192.0.2.9", remote_prefix="8",
                  local_prefix="7", fax=True)
PEER = Location("l-peer", LocationKind.VPIM, "Peer", "vpim.example.net", host="192.0.2.10")
CHRIS = Contact("c-chris", "chris", "Chris Jönes", location="l-branch", mailbox_number="2233",
                proxies=("chris.jones@example.com", "1042@vm1.example.com"))
SAM = Contact("c-sam", "sam", 'Sam "The Voice" Roe\r\nBcc: all@example.com', location="l-branch",
              mailbox_number="2234", proxies=("sam.roe@example.com",))
TO_CHRIS = Convert("l-branch", "c-chris", "82233@branch.example.org", "chris.jones@example.com")
TO_SAM = Convert("l-branch", "c-sam", "82234@branch.example.org", "sam.roe@example.com")
TRAIL = (b"Received: from client.example.com ([192.0.2.1])\r\n\tby vm1.example.com with ESMTPSA"
         b" id 0abcdefghij0123456789;\r\n\tMon, 10 Mar 2014 13:20:25 +0000\r\n")
NAME = (VECTORS / "audio" / "name.726").read_bytes()
ENTRIES = {entry["file"]: entry for entry in INDEX["message"]}


class Names:
    """A directory that knows recorded names."""

    def __init__(self, **names):
        self.names = names

    @contextmanager
    def read(self):
        yield self

    def spoken_name(self, id):
        return self.names.get(id, b"")


class Post:
    """A node's courier as far as converting goes: `book` and messages beside each other in a folder."""

    def __init__(self, folder, *objects, site=None, names=None, codec=None):
        self.folder = folder
        self.book = FakeBook(*(objects or (ROBIN, BRANCH, PEER, CHRIS, SAM)), site=site)
        self.form = VpimForm(codec=codec or Codec(), book=self.book, directory=Names(**(names or {})), host=HOST)

    def item(self, octets, *, sender=ROBIN.proxies[0], recipients=(TO_CHRIS.original,), origin=None, **facts):
        path = os.path.join(self.folder, "item.eml")
        with open(path, "wb") as file:
            file.write(TRAIL + octets)
        message = categorise.read(octets, parse_secure_headers("X-Unity-Secure: true"))
        if origin is None:
            owner = self.book.find(sender) if sender else None
            origin = owner.id if isinstance(owner, User) else ""
        envelope = Envelope(sender, tuple(map(Recipient, recipients)))
        known = {"category": message.category.value, "sensitivity": message.sensitivity.value}
        return Item("0abcdefghij0123456789", path, 1394457625.0, envelope, secure=False, subject=message.subject,
                    message_id=message.message_id, origin_user=origin, size=len(TRAIL) + len(octets),
                    head=len(TRAIL), steps=(), **(known | facts))

    def convert(self, octets, *steps, location=BRANCH, **facts):
        """(octets sent, what was made), or the refusal."""
        made = self.form.convert(self.item(octets, **facts), steps or (TO_CHRIS,), location, TRAIL)
        if isinstance(made, Refused):
            return made
        with open(made.path, "rb") as file:
            sent = file.read()
        made.close()
        assert len(sent) == made.size
        assert os.listdir(self.folder) == ["item.eml"]
        return sent, made


def vector(name):
    return (VECTORS / name).read_bytes()


def facts_of(name):
    entry = ENTRIES[name]
    from_peer = entry["mail_from"].endswith("@vpim.example.net")
    return {"sender": entry["mail_from"], "origin": "l-peer" if from_peer else None}


def voice_mail(*parts, header=b"", kind=b"mixed"):
    """A message of (header, octets) parts, each in base64."""
    form = b"--b\r\n%b\r\nContent-Transfer-Encoding: base64\r\n\r\n%b\r\n"
    bodies = b"".join(form % (head, base64.encodebytes(octets)) for head, octets in parts)
    return (b"From: Robin Smith <robin.smith@example.com>\r\nTo: chris.jones@example.com\r\n" + header
            + b"Content-Type: multipart/%b; boundary=b\r\n\r\n%b--b--\r\n" % (kind, bodies))


WAV = (VECTORS / "audio" / "message_ulaw.wav").read_bytes()
VOICE = (b"Content-Type: audio/wav; name=VoiceMessage.wav\r\nContent-Disposition: attachment", WAV)
