"""Who may sign in over IMAP, and under which protection. Knows the class of service; refuses to know passwords."""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.interfaces.ledger import Count, Full
from unitymail.people.class_of_service import ClassOfService
from unitymail.policy.access import is_this_machine
from unitymail.settings.site import SiteSettings

IMAP, IMAP_USER = "imap", "imap-user"
"""Kinds of places in the ledger."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class ImapRefusal:
    """A tagged NO: the response code of RFC 5530 without brackets, and words."""

    code: str
    text: str


NEEDS_TLS = ImapRefusal("PRIVACYREQUIRED", "Signing in needs TLS here; use STARTTLS or port 993")
SECURE_NEEDS_TLS = ImapRefusal("PRIVACYREQUIRED", "Your account shows secure messages, so it needs TLS to sign in")
NOT_COUNTED = ImapRefusal("UNAVAILABLE", "Too busy here; please try again later")
NO_IMAP = ImapRefusal("AUTHORIZATIONFAILED", "Your class of service does not include IMAP")


def imap_login_offered(client_ip: str, tls: bool, site: SiteSettings) -> bool:
    """False shows LOGINDISABLED: in the clear a password is taken only from this machine, or where the site says so."""
    return tls or site.imap_auth_without_tls or is_this_machine(client_ip)


def judge_imap_sign_in(
    client_ip: str, tls: bool, site: SiteSettings, cos: ClassOfService | None = None
) -> ImapRefusal | None:
    """None when the sign-in may go on. Ask without `cos` before the password, with it once the password was right."""
    if not imap_login_offered(client_ip, tls, site):
        return NEEDS_TLS
    if cos is None:
        return None
    if not cos.access_imap:
        return NO_IMAP
    return SECURE_NEEDS_TLS if cos.secure_imap and not tls else None


def connections(site: SiteSettings) -> Count:
    """All IMAP connections of the node."""
    return Count(IMAP, "", site.imap_max_connections)


def connections_of(user: str, site: SiteSettings) -> Count:
    """Those over which this user is signed in; each notes the client's address."""
    return Count(IMAP_USER, user, site.imap_max_connections_per_user)


def too_many(full: Full) -> ImapRefusal:
    """What a user hears who has as many connections as there may be: how many, from which clients."""
    open_now = sum(full.notes.values())
    most_first = sorted(full.notes.items(), key=lambda held: -held[1])
    shown = ", ".join(f"{count} from {client}" for client, count in most_first[:SHOWN])
    return ImapRefusal("LIMIT", f"You have {open_now} of {full.count.most} connections open: {shown}")
