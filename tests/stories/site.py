"""A whole site for a story: three nodes that are peers, a fourth that is a stranger with voice mail, and next hops.

A (vm1.example.com) has Robin, B (vm2) Chris, C (vm3) Dana; each knows the others as remote users. London is a VPIM
location that keeps what it gets (`london`, a Sink), Branch one that is a node of its own (`d`), with Pat. What goes
outside goes to `outside`, a Sink, unless a story sends it `through` another smart host.
"""

import contextlib
import email
import email.policy
import itertools
import re

from tests.stories.house import VECTORS, House, until
from tests.stories.postfix import Postfix
from tests.stories.sink import Sink

ROBIN, CHRIS, DANA = "robin.smith@example.com", "chris.jones@example.com", "dana.reed@example.com"
JO = "jo.poole@example.com"
"""Jo has number 2233 in London."""
PAT = "pat.lee@example.com"
"""Pat has number 5501 at Branch."""
PEOPLE = {  # alias: (display name, extension, proxy address, node)
    "robin": ("Robin Smith", "1041", ROBIN, "a"),
    "chris": ("Chris Jones", "1042", CHRIS, "b"),
    "dana": ("Dana Reed", "1043", DANA, "c"),
}
LONDON, BRANCH = "london.example.org", "branch.example.net"
_numbers = itertools.count(1)


def tag():
    """A word that is in no other message of the run."""
    return f"story{next(_numbers):04d}x"


def letter(vector, word, **fields):
    """The octets of a vector with `word` in Subject and Message-ID, and other header fields set or (None) left out."""
    octets = (VECTORS / f"{vector}.eml").read_bytes()
    head, blank, body = octets.partition(b"\r\n\r\n")
    subject = re.search(rb"(?im)^Subject:[ \t]*(.*?)\r?$", head + b"\r")[1].decode()
    fields = {"Subject": f"{subject} {word}", "Message-ID": f"<{word}@example.com>"} | fields
    for name, value in fields.items():
        name = name.replace("_", "-")
        head = re.sub(rb"(?im)^" + name.encode() + rb":.*(?:\r\n[ \t].*)*\r\n", b"", head + b"\r\n")[:-2]
        if value is not None:
            head += f"\r\n{name}: {value}".encode()
    return head + blank + body


def parsed(octets):
    return email.message_from_bytes(octets, policy=email.policy.default)


class Told:
    """A report as a person (`words`, lines joined) and a program read it: `groups` are (recipient, action, status)."""

    def __init__(self, octets):
        self.message = parsed(octets)
        assert self.message.get_content_type() == "multipart/report", octets[:2000]
        assert self.message["Auto-Submitted"] == "auto-replied"
        words, status, *self.original = self.message.iter_parts()
        self.words = " ".join(words.get_content().split())
        self.status = [dict(group.items()) for group in status.get_payload()]
        self.groups = [
            (group["Final-Recipient"].partition(";")[2].strip(), group["Action"], group["Status"])
            for group in self.status[1:]
        ]


class Site:
    """Made once, then started; `houses` are the nodes by name."""

    def __init__(self, folder):
        self.folder = folder
        self.a, self.b, self.c = (House(folder / name, f"vm{n}.example.com") for n, name in enumerate("abc", 1))
        self.d = House(folder / "d", BRANCH)
        self.houses = {"a": self.a, "b": self.b, "c": self.c, "d": self.d}
        self.london, self.outside = Sink(), Sink()
        self._postfix = None
        self._join()
        self._settle_people()
        self._make_locations()
        self.a.run("site", "set", "smart_host.host=127.0.0.1", f"smart_host.port={self.outside.port}",
                   "smart_host.tls=none", "recipient_not_found=smart-host")

    def _join(self):
        keys = {name: self.houses[name].ask("peer", "key") for name in "abc"}
        for name in "abc":
            for other in set("abc") - {name}:
                self.houses[name].run("peer", "add", f"node-{other}", *keys[other]["command"].split()[4:])

    def _settle_people(self):
        """Each on the own node, and on the others as somebody whose home that is: until nodes tell each other."""
        for place in "abc":
            rows = ["alias,display_name,extension,proxy,home,password"]
            for alias, (name, extension, proxy, home) in PEOPLE.items():
                away = f"node-{home}," if place != home else f",{alias}-Opens-4-you"
                rows.append(f"{alias},{name},{extension},{proxy},{away}")
                if place == home:
                    self.houses[place].passwords[alias] = f"{alias}-Opens-4-you"
            path = self.folder / f"{place}.csv"
            path.write_text("\n".join(rows) + "\n")
            self.houses[place].run("import", "users", str(path))
        self.d.add_user("pat", "--display-name", "Pat Lee", "--extension", "5501", "--proxy", "pat@elsewhere.example")

    def _make_locations(self):
        london = ("--domain", LONDON, "--remote-prefix", "888", "--local-prefix", "777")
        branch = ("--domain", BRANCH)
        self.a.run("location", "add", "London", *london, "--host", "127.0.0.1", "--port", str(self.london.port))
        self.a.run("location", "add", "Branch", *branch, "--host", "127.0.0.1", "--port", str(self.d.ports["smtp"]))
        for house in (self.b, self.c):
            house.run("location", "add", "London", *london, "--home", "node-a")
            house.run("location", "add", "Branch", *branch, "--home", "node-a")
        for house in (self.a, self.b, self.c):
            house.run("contact", "add", "jo", "--display-name", "Jo Poole", "--location", "London",
                      "--mailbox-number", "2233", "--proxy", JO)
            house.run("contact", "add", "pat", "--display-name", "Pat Lee", "--location", "Branch",
                      "--mailbox-number", "5501", "--proxy", PAT)
        self.d.run("access", "add", "127.0.0.1", "--allow")
        self.a.run("access", "add", "127.0.0.1", "--allow")
        self.d.run("location", "add", "Head", "--domain", self.a.domain, "--host", "127.0.0.1",
                   "--port", str(self.a.ports["smtp"]))
        self.d.run("contact", "add", "robin", "--display-name", "Robin at Head Office", "--location", "Head",
                   "--mailbox-number", "1041", "--proxy", "robin@head.example")

    def start(self):
        for house in self.houses.values():
            house.launch()
        for house in self.houses.values():
            house.wait_until_ready()
        return self

    def postfix(self):
        """Postfix, which brings what is for example.com and vm1.example.com to node A; made when first asked for."""
        if self._postfix is None:
            ports = dict.fromkeys(("example.com", self.a.domain), self.a.ports["smtp"])
            self._postfix = Postfix(inward=ports).start()
            (self.folder / "password").write_text(self._postfix.password + "\n")
        return self._postfix

    def close(self):
        for house in self.houses.values():
            house.kill()
        if self._postfix is not None:
            self._postfix.stop()
        self.london.close()
        self.outside.close()

    def runs(self):
        return all(house.process is not None and house.process.poll() is None for house in self.houses.values())

    @contextlib.contextmanager
    def rules(self, house, *settings):
        """Site settings of a node for as long as the story is told."""
        keys = {setting.partition("=")[0] for setting in settings}
        before = [line for line in house.run("site", "show").splitlines() if line.partition("=")[0] in keys]
        house.run("site", "set", *settings)
        try:
            yield
        finally:
            house.run("site", "set", *before)

    def through(self, port, *settings, tls="none"):
        """Node A with another smart host."""
        return self.rules(self.a, "smart_host.host=localhost", f"smart_host.port={port}", f"smart_host.tls={tls}",
                          *settings)

    def through_postfix(self, *settings, port=None):
        """Node A with Postfix as smart host: names verified, signed in."""
        server = self.postfix()
        return self.through(
            port or server.port, f"smart_host.ca_file={server.ca_file}", f"smart_host.username={server.username}",
            f"smart_host.password_file={self.folder / 'password'}", *settings, tls="required",
        )

    def inbox(self, house, alias, word, count=1):
        """The messages with the word in them, as IMAP shows them, once there are `count`; never more than that."""

        def found():
            nonlocal there
            there = self.having(house, alias, word)
            return len(there) >= count

        there = []
        until(found, lambda: f"{alias} has {len(there)} of {word}, not {count}\n" + self.journals())
        assert len(there) == count, [octets[:3000] for octets in there]
        return there

    def having(self, house, alias, word):
        """The messages with the word in them that are there now."""
        return [octets for octets in house.read(alias).values() if word.encode() in octets]

    def told(self, house, alias, word):
        """The only report about the message."""
        return Told(self.inbox(house, alias, word)[0])

    def quiet(self, *waiting):
        """Wait until nothing is under way on any node but the messages of these trace ids, which wait."""
        until(lambda: {trace for house in self.houses.values() for trace in self.waiting(house)} <= set(waiting),
              self.journals)

    def waiting(self, house):
        """The traces of the messages in a node's queue, as they are on disk."""
        return sorted(path.stem for path in (house.folder / "spool" / "items").glob("*.eml"))

    def journals(self):
        return "\n".join(
            f"--- {name}\n" + "".join(house.output[-30:]) for name, house in self.houses.items() if house.output
        )


def asks(arguments):
    """Parameters of MAIL or RCPT as a dict, with upper case names."""
    words = arguments.partition(">")[2].split()
    return {name.upper(): value for name, _, value in (word.partition("=") for word in words)}
