"""How much is too much: sizes, recipients, messages, connections, full mailboxes. 0 is unlimited.

Knows the numbers of the site and of each user; refuses to know how anybody counts.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

from unitymail.interfaces.errors import DISK_FULL
from unitymail.interfaces.ledger import Count, Full
from unitymail.interfaces.quota import IUsage
from unitymail.mail.reply import Reply
from unitymail.people.user import User
from unitymail.policy.access import plain_address
from unitymail.policy.verdict import ACCEPT, Reject, Verdict, reject
from unitymail.settings.site import SiteSettings

SMTP = "smtp"
"""The kind of count of SMTP connections."""
TOO_MANY_RECIPIENTS = reject(452, "4.5.3", "Too many recipients; send the message again to the others")
TOO_MANY_MESSAGES = reject(421, "4.7.0", "Too many messages in one connection; connect again to go on")
NOT_COUNTED = Reply(421, "4.3.2", "Connections cannot be counted at this moment; please try again in a minute")
SEND_QUOTA = reject(552, "5.2.2", "Your mailbox is over its send quota; delete some messages first")

NO_SPACE = Reject(DISK_FULL)

MOST_PASSED_OVER = 1 << 30
"""Octets of a chunk too large to be kept that are waited for all the same; `SIZE` is never more."""


def largest_message(site: SiteSettings) -> int:
    """In octets, as SIZE announces it; 0 is unlimited."""
    return site.smtp_max_message_kib * 1024


def judge_size(octets: int | None, site: SiteSettings) -> Verdict:
    """A size that was declared (None when it was not) or counted."""
    limit = largest_message(site)
    if not limit or octets is None or octets <= limit:
        return ACCEPT
    return reject(552, "5.3.4", f"The message is larger than {site.smtp_max_message_kib} KiB, the limit here")


def judge_space(free: float, declared: int) -> Verdict:
    """Whether a message of so many octets (0 when nobody said) may begin, where `free` are left for mail."""
    return ACCEPT if free > declared else NO_SPACE


def judge_chunk(octets: int, site: SiteSettings) -> Verdict:
    """So many octets announced at once: beyond the limit they are passed over, but not for hours."""
    return judge_size(octets, site) if octets > MOST_PASSED_OVER else ACCEPT


def judge_recipients(already: int, site: SiteSettings) -> Verdict:
    """One more recipient for a message that has `already` so many."""
    limit = site.smtp_max_recipients
    return TOO_MANY_RECIPIENTS if limit and already >= limit else ACCEPT


def judge_messages(already: int, site: SiteSettings) -> Verdict:
    """One more message in a connection that had `already` so many."""
    limit = site.smtp_max_messages_per_connection
    return TOO_MANY_MESSAGES if limit and already >= limit else ACCEPT


def connection_counts(ip: str, site: SiteSettings) -> tuple[Count, Count]:
    """What one more SMTP connection from `ip` needs a place in: the total first, since it speaks for all."""
    return (
        Count(SMTP, "", site.smtp_max_connections),
        Count(SMTP, counted_as(ip), site.smtp_max_connections_per_address),
    )


def counted_as(ip: str) -> str:
    """Whose connection it is: an IPv4 address, or the /64 of an IPv6 one, within which a host has all it wants."""
    address = plain_address(ip)
    if not isinstance(address, IPv6Address):
        return str(address or ip)
    return str(IPv6Network((int(address), 64), strict=False))


def no_place(full: Full) -> Reply:
    """What a client hears that comes when a count is full, and what it can do."""
    most, who = full.count.most, full.count.key
    if not who:
        return Reply(421, "4.3.2", f"All {most} connections are in use here; please try again later")
    words = f"There are {most} connections open from {who}, the limit here"
    return Reply(421, "4.3.2", f"{words}; close some, or send more messages over each")


def may_receive(user: User, usage: IUsage) -> bool:
    """Below the Send/Receive quota; a message that crosses it is still taken."""
    return not user.quota.receive or usage.used(user.id) < user.quota.receive


def may_send(user: User, usage: IUsage) -> bool:
    """Below the Send quota."""
    return not user.quota.send or usage.used(user.id) < user.quota.send
