"""When TLS and AUTH are offered and when they are due before MAIL. Knows the door, the client's trust and the site.

Refuses to know certificates and passwords: those are the door's and the realm's.

Note *Strangers only*. `smtp.untrusted_tls` and `smtp.untrusted_require_auth` speak of addresses that no access rule
names. A trusted address, the smart host and a peer are always offered STARTTLS and never need it here; so are clients
at the address of a peer's host, since only under TLS can they prove to be that peer.
"""

from __future__ import annotations

from unitymail.policy.access import is_this_machine
from unitymail.policy.verdict import ACCEPT, Verdict, reject
from unitymail.routing.decision import Door, Trust
from unitymail.settings.site import SiteSettings

SUBMISSION = ("submission", "submissions")
TLS_FIRST = reject(530, "5.7.0", "Must issue a STARTTLS command first")
AUTH_FIRST = reject(530, "5.7.0", "Authentication required")
TLS_AND_AUTH_FIRST = reject(530, "5.7.0", "Authentication required; issue a STARTTLS command first")
NO_NEED_TO_SIGN_IN = reject(503, "5.5.1", "You are known as a peer by your certificate; there is no need to sign in")
PROOF_NEEDS_TLS = reject(530, "5.7.0", "From your address only peers are welcome; issue STARTTLS with your certificate")
NO_PEER = reject(554, "5.7.1", "From your address only peers are welcome, and your certificate is that of none")
NO_MORE_A_PEER = reject(421, "4.7.0", "You are no peer of this node any more; goodbye")
AUTH_NEEDS_TLS = reject(538, "5.7.11", "Signing in needs encryption; issue a STARTTLS command first")


def starttls_offered(door: Door, trust: Trust, tls: bool, site: SiteSettings, at_peer: bool = False) -> bool:
    """Whether EHLO shows STARTTLS: not twice, not where TLS came first, not to strangers when it is disabled."""
    if tls or door == "submissions":
        return False
    return at_peer or trust != "stranger" or site.smtp_untrusted_tls != "disabled"


def judge_unproven(tls: bool) -> Verdict:
    """What a client hears that may only prove to be a peer, for whatever else it tries."""
    return NO_PEER if tls else PROOF_NEEDS_TLS


def auth_offered(door: Door, client_ip: str, trust: Trust, tls: bool, site: SiteSettings) -> bool:
    """Whether a password may be sent now: under TLS, from this machine, or where the site allows it in the clear.

    A stranger who must use TLS is never asked for a password without it, whatever the site allows.
    """
    if trust == "peer":
        return False
    if tls:
        return True
    if trust == "stranger" and site.smtp_untrusted_tls == "required":
        return False
    return site.smtp_auth_without_tls or is_this_machine(client_ip)


def judge_auth(door: Door, client_ip: str, trust: Trust, tls: bool, site: SiteSettings) -> Verdict:
    """Whether AUTH may begin; a client that did not wait for the offer gets 538."""
    if trust == "peer":
        return NO_NEED_TO_SIGN_IN
    return ACCEPT if auth_offered(door, client_ip, trust, tls, site) else AUTH_NEEDS_TLS


def judge_mail(
    door: Door, trust: Trust, tls: bool, authenticated: bool, site: SiteSettings, client_ip: str = ""
) -> Verdict:
    """Whether a message may begin: TLS where it is required, then AUTH where it is (submission doors: always).

    `client_ip` is for the words only: who may sign in without TLS is not told to start it.
    """
    if trust == "stranger" and site.smtp_untrusted_tls == "required" and not tls and door != "submissions":
        return TLS_FIRST
    if authenticated or trust in ("peer", "internal", "authenticated"):
        return ACCEPT
    if door in SUBMISSION or (trust == "stranger" and site.smtp_untrusted_require_auth):
        tls_first = starttls_offered(door, trust, tls, site) and not auth_offered(door, client_ip, trust, tls, site)
        return TLS_AND_AUTH_FIRST if tls_first else AUTH_FIRST
    return ACCEPT
