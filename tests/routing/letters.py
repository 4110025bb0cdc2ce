"""What the tests of policy and routing write to each other: messages, origins, and a site with one of everything."""

from dataclasses import replace

from tests.fakes import CHRIS, EVERYBODY, ROBIN, TERRY, FakeBook
from unitymail.mail.envelope import Envelope, Recipient
from unitymail.mail.message import Category, Importance, Message, Sensitivity
from unitymail.people.contact import Contact
from unitymail.people.distribution_list import DistributionList
from unitymail.people.location import Location, LocationKind
from unitymail.people.scope import SearchScope
from unitymail.people.user import User
from unitymail.routing.decision import Origin
from unitymail.settings.site import SiteSettings

ROBIN_AT = "robin@vm1.example.com"
CHRIS_AT = "chris@vm1.example.com"
SITE = SiteSettings()
RELAYING = replace(SITE, smart_host_host="relay.example.net")
SMART = replace(RELAYING, recipient_not_found="smart-host")

NODE_B = Location("n-b", LocationKind.PEER, "Node B", "vm2.example.com", host="10.0.0.2")
LONDON = Location(
    "v-london", LocationKind.VPIM, "London", "london.example.org", dial_id="720", remote_prefix="888",
    local_prefix="777", partition="p-default", scope="s-all", blind_addressing=True,
)
PARIS = Location("v-paris", LocationKind.VPIM, "Paris", "paris.example.org", partition="p-default", allow_secure=True)
REMOTE = User("u-dana", "dana", "dana@vm1.example.com", "Dana Reed", partition="p-default", home="n-b")
JO = Contact("c-jo", "jo", "Jo Poole", location="v-london", mailbox_number="2233",
             proxies=("jo@vm1.example.com",), partition="p-default")
PAT = Contact("c-pat", "pat", "Pat Outside", proxies=("pat@vm1.example.com",), partition="p-default")
TEAM = DistributionList("l-team", "team", "team@vm1.example.com", "Team", partition="p-default",
                        members=("u-robin", "u-chris", "u-terry"))
HIDDEN = User("u-hidden", "hidden", "hidden@vm1.example.com", "Hidden", partition="p-hidden")
EVERYTHING = (ROBIN, CHRIS, TERRY, REMOTE, JO, PAT, TEAM, HIDDEN, LONDON, PARIS, NODE_B, EVERYBODY)

SIGNED_IN = Origin("submission", "10.0.0.9", "pc.example.com", "u-robin", "authenticated", "TLSv1.3")
TRUSTED = Origin("mta", "10.0.0.1", "gw.example.com", trust="trusted")
STRANGER = Origin("mta", "203.0.113.9", "somewhere.example", trust="stranger")
SMART_HOST = Origin("mta", "10.0.0.5", "relay.example.net", trust="smart-host")
PEER = Origin("peer", "10.0.0.2", "vm2.example.com", trust="peer")
INTERNAL = Origin("internal", trust="internal")


def book(*more, site=SITE, without=()):
    """A site with one of everything; an object of `more` replaces the one with its id."""
    ids = {o.id for o in more} | set(without)
    return FakeBook(*more, *(o for o in EVERYTHING if o.id not in ids), site=site)


def message(category=Category.VOICE, sender=ROBIN_AT, **facts):
    """A normal message of this category; `sender` is the header From (None for no From)."""
    senders = () if sender is None else (sender,)
    plain = Message(category, "R4", Sensitivity.NORMAL, False, Importance.NORMAL, False, 1000, senders)
    return replace(plain, **facts)


def envelope(*recipients, sender=ROBIN_AT, **more):
    """To addresses, or whole `Recipient`s."""
    to = tuple(r if isinstance(r, Recipient) else Recipient(r) for r in recipients)
    return Envelope(sender, to, **more)


def scope(*partitions):
    return SearchScope("s-all", "Everybody", partitions)
