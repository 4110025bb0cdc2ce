"""Stand-ins that several test rooms share: a book of values, threads that run at once, a journal that remembers."""

from types import SimpleNamespace

from twisted.internet import defer
from zope.interface import implementer

from unitymail.interfaces.book import IBook
from unitymail.interfaces.doorbell import IDoorbell
from unitymail.interfaces.journal import IJournal
from unitymail.interfaces.quota import IUsage
from unitymail.interfaces.threads import IThreads
from unitymail.mail.address import key_of, without_tag
from unitymail.people.authentication_rule import AuthenticationRule
from unitymail.people.class_of_service import ClassOfService
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import SearchScope
from unitymail.people.user import User
from unitymail.settings.site import SiteSettings

EVERYBODY = SearchScope("s-all", "Everybody", ("p-default",))
DEFAULT_COS = ClassOfService("c-default", "Default", access_imap=True)
ROBIN = User("u-robin", "robin", "robin@vm1.example.com", "Robin Smith", "Robin", "Smith", "1041",
             proxies=("robin.smith@example.com",), cos="c-default", partition="p-default", scope="s-all")
CHRIS = User("u-chris", "chris", "chris@vm1.example.com", "Chris Jones", "Chris", "Jones", "1042",
             proxies=("chris.jones@example.com",), cos="c-default", partition="p-default", scope="s-all")
TERRY = User("u-terry", "terry", "terry@vm1.example.com", "Terry Fox", "Terry", "Fox", "1043",
             cos="c-default", partition="p-default", scope="s-all")


@implementer(IBook)
class FakeBook:
    """An address book of the objects given; the first owner of an address keeps it."""

    usn = 1
    domain = "vm1.example.com"

    def __init__(self, *objects, site=None, access=()):
        self.site = site or SiteSettings()
        self.access = tuple(access)
        self.authentication = AuthenticationRule()
        self.objects = objects or (ROBIN, CHRIS, TERRY)
        if not any(isinstance(o, ClassOfService) for o in self.objects):
            self.objects = (*self.objects, DEFAULT_COS)
        if not any(isinstance(o, SearchScope) for o in self.objects):
            self.objects = (*self.objects, EVERYBODY)
        self.by_id = {o.id: o for o in self.objects}
        self.passwords = {}
        self.vpim = self.vpim_locations()
        self.by_key = {}
        for o in self.objects:
            for address in (getattr(o, "address", ""), *getattr(o, "proxies", ())):
                if address:
                    self.by_key.setdefault(key_of(address), o)

    def find(self, address):
        found = self.by_key.get(key_of(address))
        if found is None and self.site.subaddressing and (plain := without_tag(address)):
            found = self.by_key.get(key_of(plain))
        return found

    def find_exactly(self, key):
        return self.by_key.get(key)

    def _of(self, id, kind):
        found = self.by_id.get(id)
        return found if isinstance(found, kind) else None

    def user(self, id):
        return self._of(id, User)

    def user_named(self, name):
        for o in self.users():
            if o.alias == name.lower():
                return o
        found = self.by_key.get(key_of(name))
        return found if isinstance(found, User) else None

    def password_changed(self, user):
        return self.passwords.get(user, 0)

    def entry(self, id):
        return self._of(id, (User, Contact, DistributionList))

    def class_of_service(self, id):
        return self._of(id, ClassOfService)

    def scope(self, id):
        return self._of(id, SearchScope)

    def location(self, id):
        return self._of(id, Location)

    def vpim_location_of(self, domain, local=""):
        there = [o for o in self.vpim if o.domain.lower() == domain.lower()]
        return next((o for o in there if local.startswith(o.remote_prefix)), there[0] if there else None)

    def vpim_locations(self):
        return [o for o in self.objects if isinstance(o, Location) and o.kind is LocationKind.VPIM]

    def peers(self):
        return [o for o in self.objects if isinstance(o, Location) and o.kind is LocationKind.PEER]

    def peer_with(self, fingerprint):
        return next((o for o in self.peers() if o.fingerprint == fingerprint), None)

    def peer_of(self, domain):
        return next((o for o in self.peers() if o.domain.lower() == domain.lower()), None)

    def contact_at(self, location, mailbox):
        for o in self.objects:
            if isinstance(o, Contact) and (o.location, o.mailbox_number) == (location, mailbox):
                return o
        return None

    def user_at(self, extension, partitions):
        found = {o.partition: o for o in reversed(self.users()) if o.extension == extension}
        order = found if partitions is None else [p for p in partitions if p in found]
        return next((found[p] for p in order), None)

    def users(self):
        return [o for o in self.objects if isinstance(o, User)]


@implementer(IThreads)
class InlineThreads:
    """Runs at once, in the calling thread."""

    def run(self, function, *args, **kwargs):
        return defer.execute(function, *args, **kwargs)


@implementer(IThreads)
class HeldThreads:
    """Work waits until the test lets it go: one call at a time, or all of it."""

    def __init__(self):
        self.waiting = []

    def run(self, function, *args, **kwargs):
        done = defer.Deferred()
        self.waiting.append((done, function, args, kwargs))
        return done

    def step(self):
        done, function, args, kwargs = self.waiting.pop(0)
        defer.execute(function, *args, **kwargs).chainDeferred(done)

    def go(self):
        while self.waiting:
            self.step()


@implementer(IUsage)
class FakeUsage(dict):
    """Octets by account id."""

    def used(self, account):
        return self.get(account, 0)

    def add(self, account, octets):
        self[account] = self.used(account) + octets


@implementer(IDoorbell)
class FakeDoorbell:
    """Rings within the process, at once."""

    def __init__(self):
        self.rings = []
        self.listeners = []

    def ring(self, account, folder):
        self.rings.append((account, folder))
        for entry in list(self.listeners):
            if entry[0] == account:
                entry[1](folder)

    def listen(self, account, heard):
        entry = (account, heard)
        self.listeners.append(entry)
        return lambda: self.listeners.remove(entry) if entry in self.listeners else None


@implementer(IJournal)
class RecordingJournal:
    """Keeps (event, arguments, keywords) of every call in `events`; troubles keep their exception."""

    def __init__(self):
        self.events = []

    def __getattr__(self, event):
        if event.startswith("_") or event not in IJournal.names():
            raise AttributeError(event)
        return lambda *args, **kwargs: self.events.append(SimpleNamespace(event=event, args=args, **kwargs))

    def guard(self, awaitable, what):
        d = defer.ensureDeferred(awaitable) if hasattr(awaitable, "send") else awaitable
        return d.addErrback(lambda failure: self.trouble(what, failure.value))

    def named(self, event):
        return [e for e in self.events if e.event == event]
