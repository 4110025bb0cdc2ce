"""Who may sign in over IMAP, and under which protection. Knows the class of service; refuses to know passwords."""

from __future__ import annotations

from dataclasses import dataclass

from unitymail.people.class_of_service import ClassOfService
from unitymail.policy.access import is_this_machine
from unitymail.settings.site import SiteSettings


@dataclass(frozen=True, slots=True)
class ImapRefusal:
    """A tagged NO: the response code of RFC 5530 without brackets, and words."""

    code: str
    text: str


NEEDS_TLS = ImapRefusal("PRIVACYREQUIRED", "Signing in needs TLS here; use STARTTLS or port 993")
SECURE_NEEDS_TLS = ImapRefusal("PRIVACYREQUIRED", "Your account shows secure messages, so it needs TLS to sign in")
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


def judge_imap_connections(clients: list[str], site: SiteSettings) -> ImapRefusal | None:
    """One more connection of a user who has one from each of `clients` (addresses, doubles kept)."""
    limit = site.imap_max_connections_per_user
    if len(clients) < limit:
        return None
    counts = {client: clients.count(client) for client in dict.fromkeys(clients)}
    shown = ", ".join(f"{count} from {client}" for client, count in list(counts.items())[:5])
    return ImapRefusal("LIMIT", f"You have {len(clients)} of {limit} connections open: {shown}")
