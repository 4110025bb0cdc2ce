"""What RFC 3801 asks of a message on the wire, sections 4 and 5: every MUST and SHOULD that received octets can show.

`check(octets, sender, recipients)` fails with the list of everything that is wrong, each with its section. Written
against Python's own `email`, and shares no parser with the node.
"""

import base64
import binascii
import email
import email.policy
import email.utils
import re
import struct
from dataclasses import dataclass, field

ROLES = {"voice-message", "voice-message-notification", "originator-spoken-name", "recipient-spoken-name",
         "spoken-subject"}
ORDER = ["originator-spoken-name", "recipient-spoken-name", "spoken-subject", "voice-message", "image", "message"]
FIELDS = [
    "received", "from", "to", "cc", "date", "message-id", "in-reply-to", "references", "subject", "mime-version",
    "content-type", "content-transfer-encoding", "sensitivity", "importance", "message-context",
    "disposition-notification-to", "auto-submitted",
]
"""The fields of message-formats.md section 5, in its order; no others are sent."""
PART_FIELDS = {"content-type", "content-transfer-encoding", "content-disposition", "content-duration",
               "content-language", "content-description", "content-id"}
NUMBER = re.compile(r"\d{1,32}(\+\d{1,15})?|\+\d{1,15}(\+\d{1,15})?|non-mail-user", re.ASCII)
DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}", re.ASCII)


@dataclass
class Findings:
    """`options` are what the caller knows of this message; see `failures`."""

    wrong: list = field(default_factory=list)

    def need(self, holds, section, words):
        if not holds:
            self.wrong.append(f"{section}: {words}")


def check(octets, sender, recipients, **options):
    """Fail with everything that is wrong."""
    wrong = failures(octets, sender, recipients, **options)
    assert not wrong, "RFC 3801 is not kept:\n  " + "\n  ".join(wrong)


def failures(octets, sender, recipients, *, numeric_sender=True, complete=True, wav=False, mail=None, rcpt=None):
    """Everything that is wrong, a line each.

    `sender` and `recipients` are of the envelope. numeric_sender: From must be a mailbox number with a name. complete:
    each recipient must be in To or Cc (no blind copies). wav: a bilateral agreement on WAV instead of 32KADPCM (4.4.3).
    `mail`: parameters of MAIL (a dict, upper case names), `rcpt`: those of each RCPT, in order.
    """
    findings = Findings()
    _octets(octets, findings)
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    _header(message, octets, findings)
    _people(message, sender, recipients, numeric_sender, complete, findings)
    _marks(message, findings)
    _voice_message(message, wav, findings, 0)
    _transport(octets, mail, rcpt, findings)
    return findings.wrong


def _octets(octets, findings):
    """Section 4.2.12 and RFC 2045, RFC 5322 2.1.1."""
    need = findings.need
    need(octets.isascii(), "4.2.12", "7bit content holds octets beyond ASCII")
    need(b"\0" not in octets, "RFC 2045 2.7", "NUL in 7bit content")
    need(octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n"), "RFC 5322 2.3", "CR or LF alone")
    need(octets.endswith(b"\r\n"), "RFC 5321 4.1.1.4", "the last line does not end")
    longest = max(map(len, octets.split(b"\r\n")))
    need(longest <= 998, "RFC 5322 2.1.1", f"a line of {longest} octets")


def _header(message, octets, findings):
    """Section 4.2: fields that must, may and must not be there."""
    need = findings.need
    names = [name.lower() for name in message]
    for name in ("from", "date", "message-id", "mime-version", "content-type", "subject"):
        section = {"from": "4.2.1", "date": "4.2.4", "message-id": "4.2.7", "mime-version": "4.2.10",
                   "content-type": "4.2.11", "subject": "4.2.15"}[name]
        need(names.count(name) == 1, section, f"{names.count(name)} {name} fields, not one")
    for name in set(names) - {"received"}:
        need(names.count(name) == 1, "RFC 5322 3.6", f"{names.count(name)} {name} fields")
    need("received" in names, "4.2.9", "no Received field: each system adds its own")
    need("return-path" not in names, "4.2.6", "Return-Path is sent")
    need("reply-to" not in names, "4.2.8", "Reply-To is sent")
    need("bcc" not in names, "4.2.3", "Bcc is sent")
    for name in names:
        need(name in FIELDS, "message-formats 5", f"the field {name} is sent")
    places = [FIELDS.index(name) for name in names if name in FIELDS]
    need(places == sorted(places), "message-formats 5", f"fields out of order: {', '.join(names)}")
    header = octets.partition(b"\r\n\r\n")[0]
    for line in header.split(b"\r\n"):
        need(bool(line.strip()), "RFC 5322 3.2.2", "a line of white space in the header")
    need(bool(DATE.fullmatch(str(message["Date"]))), "4.2.4", f"Date {message['Date']!r} lacks its form or zone")
    need(bool(re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(message["Message-ID"]))), "4.2.7",
         f"Message-ID {message['Message-ID']!r}")
    need(bool(str(message["Subject"] or "").strip()), "4.2.15", "Subject is empty")
    need(str(message["MIME-Version"]).replace(" ", "").lower() == "1.0(voice2.0)", "4.2.10",
         f"MIME-Version {message['MIME-Version']!r}")
    need(message.get_content_type() == "multipart/voice-message", "4.2.11", message.get_content_type())
    need(message.get_param("version") == "2.0", "4.2.11", f"version {message.get_param('version')!r}")
    encoding = str(message.get("Content-Transfer-Encoding", "7bit")).lower()
    need(encoding in ("7bit", "binary"), "4.2.12", f"a multipart encoded as {encoding}")


def _people(message, sender, recipients, numeric_sender, complete, findings):
    """Sections 4.1, 4.2.1 to 4.2.3."""
    need = findings.need
    named = email.utils.getaddresses(message.get_all("From", []))
    need(len(named) == 1, "4.2.1", f"{len(named)} addresses in From")
    name, author = named[0] if named else ("", "")
    need(author.count("@") == 1, "4.2.1", f"From {author!r} is no full address")
    if numeric_sender:
        need(bool(name) or author.startswith("non-mail-user@"), "4.2.1", "From has no text name")
        need(bool(NUMBER.fullmatch(author.partition("@")[0])), "4.1.1", f"From {author!r} is no mailbox number")
    if sender:
        need(sender.lower() == author.lower(), "4.2.1", f"MAIL FROM {sender!r} is not From {author!r}")
        need(not sender.lower().startswith("non-mail-user@"), "4.1.2", "nobody can be answered: MAIL FROM must be <>")
    listed = [address for field in ("To", "Cc")
              for _, address in email.utils.getaddresses(message.get_all(field, []))]
    keys = {address.lower() for address in recipients}
    for address in listed:
        need(address.lower() in keys, "4.2.2", f"{address} is listed and is no recipient of this copy")
        need(bool(NUMBER.fullmatch(address.partition("@")[0])), "4.1.1", f"{address} is no mailbox number")
    need(len(set(map(str.lower, listed))) == len(listed), "4.2.2", "an address is listed twice")
    if complete:
        for address in recipients:
            need(address.lower() in map(str.lower, listed), "4.2.2", f"the recipient {address} is in neither To nor Cc")
        need(not recipients or "To" in message, "4.2.2", "no To")
    wanted = message["Disposition-Notification-To"]
    if wanted is not None:
        asked = [address for _, address in email.utils.getaddresses([wanted])]
        need(asked == [author], "4.2.16", f"Disposition-Notification-To {wanted!r} is not From")


def _marks(message, findings):
    """Sections 4.2.13, 4.2.14; RFC 3458."""
    need = findings.need
    for name, values, section in (
        ("Sensitivity", ("private",), "4.2.13"), ("Importance", ("high", "low"), "4.2.14"),
        ("Message-Context", ("voice-message", "fax-message"), "RFC 3458 6.2"),
    ):
        if name in message:
            need(str(message[name]).lower() in values, section, f"{name}: {message[name]}")


def _voice_message(message, wav, findings, depth):
    """Section 4.4.1 and what is inside."""
    need = findings.need
    where = f"level {depth}: "
    if not message.is_multipart():
        need(False, "4.4.1", where + "no parts")
        return
    need(not (message.preamble or "").strip(), "RFC 2046 5.1.1", where + "text before the first part")
    need(not (message.epilogue or "").strip(), "RFC 2046 5.1.1", where + "text behind the last part")
    need(not message.defects, "RFC 2046 5.1.1", where + f"{message.defects}")
    boundary = message.get_boundary() or ""
    need(1 <= len(boundary) <= 70, "RFC 2046 5.1.1", where + f"boundary of {len(boundary)} characters")
    roles, content = [], 0
    for part in message.get_payload():
        kind = part.get_content_type()
        for name in part:
            need(name.lower() in PART_FIELDS, "4.3", where + f"a part has the field {name}")
        if kind.startswith("audio/"):
            roles.append(_audio(part, wav, findings, where))
            content += roles[-1] == "voice-message"
        elif kind == "image/tiff":
            roles.append("image")
            content += 1
            _fax(part, findings, where)
        elif kind == "message/rfc822":
            roles.append("message")
            content += 1
            _forwarded(part, boundary, wav, findings, depth)
        else:
            need(not kind.startswith("text/"), "4.5.2" if "directory" in kind or "vcard" in kind else "4.5.4",
                 where + f"{kind} inside")
            need(kind.startswith("text/"), "4.4.1", where + f"{kind} inside")
    need(content > 0, "4.4.1", where + "no voice message, no fax, nothing forwarded")
    for role in ROLES:
        need(roles.count(role) <= 1, "4.3.2", where + f"{roles.count(role)} parts of the kind {role}")
    places = [ORDER.index(role) for role in roles if role in ORDER]
    need(places == sorted(places), "message-formats 5", where + f"parts out of order: {', '.join(roles)}")


def _audio(part, wav, findings, where):
    """Sections 4.3 and 4.4.3."""
    need = findings.need
    kind = part.get_content_type()
    need(kind == ("audio/wav" if wav else "audio/32kadpcm"), "4.4.3", where + f"audio as {kind}")
    octets = _decoded(part, findings, where)
    disposition = str(part.get("Content-Disposition", ""))
    need(part.get_content_disposition() == "inline", "4.3.2", where + f"Content-Disposition {disposition!r}")
    role = str(part.get_param("voice", "", "Content-Disposition")).lower()
    need(role in ROLES, "4.3.2", where + f"voice={role or 'nothing'}")
    name = part.get_filename()
    need(name is None or name.isascii(), "4.3.2", where + f"the file name {name!r} is not ASCII")
    need(bool(octets), "4.4.3", where + "audio without an octet")
    duration = str(part.get("Content-Duration", ""))
    need(bool(re.fullmatch(r"[1-9]\d{0,9}", duration)), "4.3.3", where + f"Content-Duration {duration!r}")
    if duration.isdigit() and not wav:
        need(abs(int(duration) - len(octets) / 4000) <= 1, "4.3.3",
             where + f"Content-Duration {duration} for {len(octets) / 4000:.1f} s")
    limit = {"originator-spoken-name": 10, "recipient-spoken-name": 10, "spoken-subject": 20}.get(role)
    if limit and not wav:
        need(len(octets) <= limit * 4000, "4.4.3", where + f"{role} lasts {len(octets) / 4000:.0f} s")
    language = part.get("Content-Language")
    need(language is None or re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", language), "4.3.4",
         where + f"Content-Language {language!r}")
    return role


def _decoded(part, findings, where):
    need = findings.need
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).lower()
    need(encoding in ("base64", "binary"), "4.4.3", where + f"encoded as {encoding}")
    raw = part.get_payload()
    need(all(len(line) <= 76 for line in raw.splitlines()), "RFC 2045 6.8", where + "base64 lines over 76")
    try:
        return base64.b64decode(re.sub(r"\s", "", raw), validate=True)
    except binascii.Error as error:
        need(False, "RFC 2045 6.8", where + f"base64: {error}")
        return b""


def _fax(part, findings, where):
    """Section 4.4.4, RFC 3302: TIFF-F, each page one strip."""
    need = findings.need
    need(part.get_param("application", "").lower() == "faxbw", "4.4.4", where + "application is not faxbw")
    octets = _decoded(part, findings, where)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(octets[:4])
    need(order is not None, "4.4.4", where + "no TIFF")
    if order is None:
        return
    at, pages = struct.unpack_from(order + "I", octets, 4)[0], 0
    while at and pages < 1000:
        pages += 1
        (count,) = struct.unpack_from(order + "H", octets, at)
        tags = {}
        for number in range(count):
            tag, kind, many = struct.unpack_from(order + "HHI", octets, at + 2 + 12 * number)
            value = struct.unpack_from(order + ("H" if kind == 3 else "I"), octets, at + 10 + 12 * number)[0]
            tags[tag] = (many, value)
        need(tags.get(256, (0, 0))[1] in (1728, 2048, 2432), "4.4.4", where + f"page {pages} is {tags.get(256)} wide")
        need(tags.get(258, (1, 1))[1] == 1, "4.4.4", where + f"page {pages} is not black and white")
        need(tags.get(259, (0, 0))[1] in (2, 3, 4), "4.4.4", where + f"page {pages} has compression {tags.get(259)}")
        need(tags.get(273, (0, 0))[0] == 1, "4.4.4", where + f"page {pages} has {tags.get(273)} strips")
        (at,) = struct.unpack_from(order + "I", octets, at + 2 + 12 * count)


def _forwarded(part, outer, wav, findings, depth):
    """Sections 4.4.2 and 4.8."""
    need = findings.need
    where = f"level {depth}: "
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).lower()
    need(encoding in ("7bit", "binary"), "4.4.2", where + f"message/rfc822 encoded as {encoding}")
    inner = part.get_payload(0)
    need(any(inner.get(name) for name in ("From", "Date", "Subject")), "4.8", where + "no From, Date or Subject inside")
    for name in ("MIME-Version", "Content-Type"):
        need(name in inner, "4.8", where + f"no {name} inside")
    need(inner.get_content_type() == "multipart/voice-message", "4.4.2", where + f"{inner.get_content_type()} inside")
    boundary = inner.get_boundary() or ""
    need(not boundary.startswith(outer) and not outer.startswith(boundary), "RFC 2046 5.1.2",
         where + "one boundary is the beginning of the other")
    _marks(inner, findings)
    _voice_message(inner, wav, findings, depth + 1)


def _transport(octets, mail, rcpt, findings):
    """Section 5: what the client says before the message."""
    need = findings.need
    if mail is not None:
        size = mail.get("SIZE")
        need(size is None or abs(int(size) - len(octets)) <= 512, "5.1 SIZE", f"SIZE={size} for {len(octets)} octets")
        need(mail.get("RET", "FULL") in ("FULL", "HDRS"), "5.2 DSN", f"RET={mail.get('RET')}")
        need(mail.get("BODY", "7BIT") in ("7BIT", "8BITMIME", "BINARYMIME"), "5.1", f"BODY={mail.get('BODY')}")
    for parameters in rcpt or ():
        notify = set(parameters.get("NOTIFY", "FAILURE").split(","))
        need(notify == {"NEVER"} or notify <= {"SUCCESS", "FAILURE", "DELAY"}, "5.2 DSN", f"NOTIFY={notify}")


def recordings(octets):
    """[(level, role, octets)] of every audio part, in order."""
    found = []

    def look(message, depth):
        for part in message.get_payload() if message.is_multipart() else ():
            if part.get_content_type() == "message/rfc822":
                look(part.get_payload(0), depth + 1)
            elif part.get_content_maintype() == "audio":
                role = str(part.get_param("voice", "", "Content-Disposition")).lower()
                found.append((depth, role, part.get_payload(decode=True)))

    look(email.message_from_bytes(octets), 0)
    return found


def voice(octets, depth=0):
    """The octets of the voice message at a level; b"" when there is none."""
    return next((one for level, role, one in recordings(octets) if (level, role) == (depth, "voice-message")), b"")
