"""Private and secure: what marks a message, and what may not leave. Knows the gates; refuses to know the ways out."""

from __future__ import annotations

from unitymail.mail.message import Message, Sensitivity
from unitymail.people.class_of_service import ClassOfService, RequireSecure
from unitymail.people.location import Location
from unitymail.settings.site import SiteSettings


def is_secure(message: Message, cos: ClassOfService | None) -> bool:
    """The message's own mark, and what the sender's class of service adds (decisions.md, Class of service, secure)."""
    if message.secure or cos is None:
        return message.secure
    if cos.secure is RequireSecure.PRIVATE:
        return message.sensitivity is Sensitivity.PRIVATE
    return cos.secure is RequireSecure.ALWAYS


def relay_gate(message: Message, secure: bool, site: SiteSettings) -> str:
    """Why the message may not leave through the smart host, "" when it may."""
    if secure and not site.relay_allow_secure:
        return "secure messages are not relayed to other systems"
    if message.sensitivity is Sensitivity.PRIVATE and not site.relay_allow_private:
        return "private messages are not relayed to other systems"
    return ""


def vpim_gate(secure: bool, location: Location) -> str:
    """Why the message may not go to this VPIM location, "" when it may (VPIM keeps the private mark: RFC 3801)."""
    return f"secure messages are not sent to {location.name}" if secure and not location.allow_secure else ""
