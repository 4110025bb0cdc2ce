"""The rules of the site: every setting with its type, default, range and meaning, and a frozen snapshot of them all.

Knows how a value is written and read back; refuses to know where it is kept (that is the directory's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from unitymail.settings import client_rules


def setting(
    default: Any, meaning: str, *, low: int = 0, high: int = 0, choices: tuple[str, ...] = (),
    check: Callable[[str], object] = str,
) -> Any:  # fmt: skip
    """A field of SiteSettings: its default, one sentence of meaning, and a range or the choices.

    `check` raises ValueError for text that cannot be.
    """
    return field(
        default=default, metadata={"meaning": meaning, "low": low, "high": high, "choices": choices, "check": check}
    )


@dataclass(frozen=True)
class SiteSettings:
    """A session keeps the snapshot it began with. The key of `smtp_max_message_kib` is `smtp.max_message_kib`.

    Factory defaults are Unity Connection's; `unitymail init` writes the chapter's recommendation (decisions.md).
    """

    smtp_max_message_kib: int = setting(10_000, "Largest message, KiB of 1,024 octets; 0 is unlimited", high=1_000_000)
    smtp_max_recipients: int = setting(15_000, "Recipients of one message; 0 is unlimited", high=100_000)
    smtp_allow_untrusted: bool = setting(False, "Let addresses that no access rule names connect")
    smtp_untrusted_require_auth: bool = setting(True, "Untrusted addresses must authenticate before MAIL")
    smtp_untrusted_tls: str = setting(
        "disabled", "STARTTLS for untrusted addresses", choices=("disabled", "optional", "required")
    )
    smtp_max_connections: int = setting(1_000, "SMTP connections at once", low=1, high=100_000)
    smtp_max_connections_per_address: int = setting(50, "SMTP connections from one address", low=1, high=100_000)
    smtp_max_messages_per_connection: int = setting(100, "Messages in one connection; 0 is unlimited", high=1_000_000)
    smtp_auth_without_tls: bool = setting(False, "Offer AUTH without TLS elsewhere; never overrides required TLS")
    imap_max_connections: int = setting(10_000, "IMAP connections at once", low=1, high=1_000_000)
    imap_max_connections_per_user: int = setting(40, "IMAP connections of one user", low=1, high=100_000)
    imap_auth_without_tls: bool = setting(False, "Allow IMAP sign-in without TLS from other machines")
    imap_full_text: bool = setting(True, "Index the words of mailboxes in which clients search for words")
    imap_hide_capability: str = setting(
        "",
        "Capabilities hidden by what programs say in ID: `FIELD=PATTERN[, FIELD=PATTERN]: STRING ...`, `;` between",
        check=client_rules.parse,
    )
    undelete_days: int = setting(7, "Days that expunged messages are kept for undelete", high=3_650)
    aging_new_enabled: bool = setting(False, "Mark messages in INBOX that nobody read as read in time")
    aging_new_days: int = setting(30, "Days until that, since the last change", low=1, high=3_650)
    aging_new_alert_days: int = setting(0, "Days before that when the user is told by mail; 0 never", high=365)
    aging_saved_enabled: bool = setting(False, "Move read messages in INBOX to Deleted Items in time")
    aging_saved_days: int = setting(30, "Days until that, since the last change", low=1, high=3_650)
    aging_saved_alert_days: int = setting(0, "Days before that when the user is told by mail; 0 never", high=365)
    aging_deleted_enabled: bool = setting(True, "Remove messages from Deleted Items for good in time")
    aging_deleted_days: int = setting(15, "Days until that, since they came there", low=1, high=3_650)
    aging_deleted_alert_days: int = setting(0, "Days before that when the user is told by mail; 0 never", high=365)
    aging_touched_secure_enabled: bool = setting(
        False, "Remove secure messages that were read, flagged or filed from all folders for good, past undelete"
    )
    aging_touched_secure_days: int = setting(30, "Days until that, since the last change", low=1, high=3_650)
    aging_touched_secure_alert_days: int = setting(
        0, "Days before that when the user is told by mail; 0 never", high=365
    )
    aging_secure_enabled: bool = setting(False, "Remove all secure messages from all folders for good, past undelete")
    aging_secure_days: int = setting(30, "Days until that, since they came to the user", low=1, high=3_650)
    aging_secure_alert_days: int = setting(0, "Days before that when the user is told by mail; 0 never", high=365)
    aging_recording_enabled: bool = setting(False, "Put a notice in the place of what voice messages say, in time")
    aging_recording_days: int = setting(30, "Days until that, since they came to the user", low=1, high=3_650)
    aging_recording_alert_days: int = setting(0, "Days before that when the user is told by mail; 0 never", high=365)
    shredding_level: int = setting(
        0, "How often the file of a message that is gone for good is overwritten; 0 not, 3 is plenty", high=10
    )
    auth_scram: bool = setting(True, "Keep SCRAM keys beside the password hash")
    auth_max_failures: int = setting(7, "Wrong passwords in the reset time that lock a user; 0 never locks", high=1_000)
    auth_reset_minutes: int = setting(30, "Minutes without a wrong password that clear the count", low=1, high=100_000)
    auth_lock_minutes: int = setting(30, "Minutes a lock lasts; 0 lasts until `user unlock`", high=100_000)
    auth_min_length: int = setting(8, "Shortest password", low=1, high=128)
    auth_history: int = setting(5, "Old passwords that may not come back", high=50)
    auth_min_age_minutes: int = setting(1_440, "Minutes between changes of a password by its user", high=1_000_000)
    auth_max_age_days: int = setting(0, "Days until a password expires; 0 never", high=3_650)
    auth_no_trivial: bool = setting(True, "Refuse trivial passwords")
    smart_host_host: str = setting("", "Name or address of the smart host, or mx:DOMAIN; empty for none")
    smart_host_port: int = setting(25, "Port of the smart host", low=1, high=65_535)
    smart_host_tls: str = setting("opportunistic", "Its TLS", choices=("none", "opportunistic", "required"))
    smart_host_ca_file: str = setting("", "Certificate authorities for the smart host; empty for the system's")
    smart_host_username: str = setting("", "Name to sign in with at the smart host; empty for none")
    smart_host_password_file: str = setting("", "File that holds the smart host's password")
    recipient_not_found: str = setting("ndr", "Mail for unknown recipients", choices=("ndr", "smart-host"))
    unknown_sender: str = setting(
        "bad-mail", "Unauthenticated mail of unknown senders", choices=("bad-mail", "accept-from-trusted", "accept")
    )
    subaddressing: bool = setting(True, "Let user+tag@domain reach user@domain")
    corporate_proxy: bool = setting(False, "Make each user's corporate address a proxy address")
    relay_allow_private: bool = setting(True, "Relay private messages")
    relay_allow_secure: bool = setting(False, "Relay secure messages, as regular ones")
    relay_retry_for: int = setting(172_800, "Seconds to go on trying; 0 reports the first failure", high=2_592_000)
    relay_delay_notice: int = setting(14_400, "Seconds until a delay notice; 0 for none", high=2_592_000)
    relay_connections: int = setting(8, "Connections to one next hop at once", low=1, high=100)
    relay_notice_removed: bool = setting(False, "Tell senders when attachments were removed for a VPIM contact")
    subject_user: str = setting("%U% %P% %S% Message from %NAME% [%CALLERID%]", "Subject of a user's mail without one")
    subject_outside: str = setting("%U% %D% Voice message from %CALLERID%", "The same for voice from outside")
    subject_fax: str = setting("%U% Fax from %CALLERID%", "The same for a fax from outside")
    subject_unknown_caller: str = setting("an unknown caller", "%CALLERID% when it is not known")
    subject_unknown_called: str = setting("several recipients", "%CALLEDID% when it is not known, or not one")
    subject_unknown_name: str = setting("an unknown sender", "%NAME% when it is not known")
    subject_unknown_extension: str = setting("no extension", "%EXTENSION% when it is not known")
    subject_urgent: str = setting("Urgent", "What %U% stands for in an urgent message")
    subject_private: str = setting("Private", "What %P% stands for in a private message")
    subject_secure: str = setting("Secure", "What %S% stands for in a secure message")
    trace_days: int = setting(30, "Days that `unitymail trace` can look back", low=1, high=3_650)
    vpim_max_seconds: int = setting(3_600, "Longest audio that is converted, seconds", low=1, high=86_400)
    secure_headers: str = setting("X-Unity-Secure: true", "Header fields that mark a message secure, `;` between them")
    secure_confidential: bool = setting(False, "Sensitivity: Company-Confidential marks a message secure")


@dataclass(frozen=True, slots=True)
class Complaint(Exception):
    """A value that cannot be: what, why, and what would do."""

    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.key}: {self.why}"


GROUPS = ("smtp", "imap", "auth", "relay", "secure", "subject", "vpim", "aging")


def key_of_field(name: str) -> str:
    """`smtp_max_message_kib` → `smtp.max_message_kib`; names without a group stay as they are."""
    group, _, rest = name.partition("_")
    if name.startswith("smart_host_"):
        return "smart_host." + name.removeprefix("smart_host_")
    return f"{group}.{rest}" if group in GROUPS else name


FIELDS = {key_of_field(f.name): f for f in fields(SiteSettings)}
"""Every key of `unitymail site show`, in that order."""


def read_value(key: str, text: str) -> int | bool | str:
    """The value that `text` (as `site set` takes it and `site show` prints it) means; raises Complaint."""
    known = FIELDS.get(key)
    if known is None:
        raise Complaint(key, "no such setting; `unitymail site show` lists them all")
    if isinstance(known.default, bool):
        return _read_switch(key, text)
    if isinstance(known.default, int):
        return _read_number(key, text, known.metadata["low"], known.metadata["high"])
    choices: tuple[str, ...] = known.metadata["choices"]
    if choices and text not in choices:
        raise Complaint(key, f"{text!r} is not one of {', '.join(choices)}")
    if "\n" in text or "\r" in text or "\0" in text:
        raise Complaint(key, "must be one line")
    try:
        known.metadata["check"](text)
    except ValueError as error:
        raise Complaint(key, str(error)) from None
    return text


def _read_switch(key: str, text: str) -> bool:
    word = text.lower()
    if word not in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        raise Complaint(key, f"{text!r} is neither true nor false")
    return word in ("true", "yes", "on", "1")


def _read_number(key: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit()):
        raise Complaint(key, f"{text!r} is not a whole number")
    number = int(text)
    if not low <= number <= high:
        raise Complaint(key, f"{number} is outside {low} to {high}")
    return number


def write_value(value: int | bool | str) -> str:
    """How `site show` prints a value; `read_value` takes it back."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def site_from(stored: Mapping[str, str]) -> SiteSettings:
    """The snapshot of what the directory keeps; keys that this version does not know are left out."""
    known = {FIELDS[key].name: read_value(key, text) for key, text in stored.items() if key in FIELDS}
    return replace(SiteSettings(), **known)  # type: ignore[arg-type]


def changed(site: SiteSettings, assignments: Iterable[tuple[str, str]]) -> SiteSettings:
    """`site` with each (key, text) applied; raises the first Complaint."""
    return replace(site, **{FIELDS[key].name: read_value(key, text) for key, text in assignments})  # type: ignore[arg-type]


CHAPTER: dict[Literal["init", "demo"], dict[str, str]] = {
    "init": {
        "smtp.allow_untrusted": "true",
        "smtp.untrusted_require_auth": "true",
        "smtp.untrusted_tls": "required",
    },
    "demo": {
        "smtp.allow_untrusted": "true",
        "smtp.untrusted_require_auth": "true",
        "smtp.untrusted_tls": "optional",
    },
}
"""What `unitymail init` writes instead of the factory defaults, and `init --demo`."""
