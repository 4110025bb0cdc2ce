"""How much is too much: sizes, recipients, messages, connections, full mailboxes. 0 is unlimited.

Knows the numbers of the site and of each user; refuses to know how anybody counts.
"""

from __future__ import annotations

from unitymail.interfaces.quota import IUsage
from unitymail.people.user import User
from unitymail.policy.verdict import ACCEPT, Verdict, reject
from unitymail.settings.site import SiteSettings

TOO_MANY_RECIPIENTS = reject(452, "4.5.3", "Too many recipients; send the message again to the others")
TOO_MANY_MESSAGES = reject(421, "4.7.0", "Too many messages in one connection; connect again to go on")
TOO_MANY_CONNECTIONS = reject(421, "4.3.2", "Too many connections; please try again later")
TOO_MANY_FROM_YOU = reject(421, "4.3.2", "Too many connections from your address; please try again later")
SEND_QUOTA = reject(552, "5.2.2", "Your mailbox is over its send quota; delete some messages first")


def largest_message(site: SiteSettings) -> int:
    """In octets, as SIZE announces it; 0 is unlimited."""
    return site.smtp_max_message_kib * 1024


def judge_size(octets: int | None, site: SiteSettings) -> Verdict:
    """A size that was declared (None when it was not) or counted."""
    limit = largest_message(site)
    if not limit or octets is None or octets <= limit:
        return ACCEPT
    return reject(552, "5.3.4", f"The message is larger than {site.smtp_max_message_kib} KiB, the limit here")


def judge_recipients(already: int, site: SiteSettings) -> Verdict:
    """One more recipient for a message that has `already` so many."""
    limit = site.smtp_max_recipients
    return TOO_MANY_RECIPIENTS if limit and already >= limit else ACCEPT


def judge_messages(already: int, site: SiteSettings) -> Verdict:
    """One more message in a connection that had `already` so many."""
    limit = site.smtp_max_messages_per_connection
    return TOO_MANY_MESSAGES if limit and already >= limit else ACCEPT


def judge_connections(already: int, from_address: int, site: SiteSettings) -> Verdict:
    """One more connection beside `already` open ones, `from_address` of them from the same address."""
    if already >= site.smtp_max_connections:
        return TOO_MANY_CONNECTIONS
    return TOO_MANY_FROM_YOU if from_address >= site.smtp_max_connections_per_address else ACCEPT


def may_receive(user: User, usage: IUsage) -> bool:
    """Below the Send/Receive quota; a message that crosses it is still taken."""
    return not user.quota.receive or usage.used(user.id) < user.quota.receive


def may_send(user: User, usage: IUsage) -> bool:
    """Below the Send quota."""
    return not user.quota.send or usage.used(user.id) < user.quota.send
