"""Converting a VPIM message that waits in the spool into what lies in mailboxes. Blocking: in an audio thread.

Knows who its people are in the address book and in which order things are made; refuses to know the form
(`mail.vpim.outlook`), how audio is decoded (the codec) and who gets the result.

Note *Once an item*. Audio is decoded once, whatever the number of variants: those for users who take no fax differ in
what is attached, not in how it sounds. Everything goes through temporary files beside the item, without a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from time import thread_time
from typing import BinaryIO, Literal, cast

from unitymail.courier.deciding import received
from unitymail.courier.learning import number_at
from unitymail.courier.scratch import temporary
from unitymail.interfaces.book import IBook
from unitymail.interfaces.codec import ICodec, Sound, work_for
from unitymail.interfaces.errors import Never
from unitymail.interfaces.spool import Item
from unitymail.mail import writing
from unitymail.mail.address import split
from unitymail.mail.audio import is_audio, voice_role
from unitymail.mail.automatic import automatic_word
from unitymail.mail.boundary import boundary_for
from unitymail.mail.dates import read_date
from unitymail.mail.headers import Mailbox, addresses, decode, first
from unitymail.mail.message import Category, Importance, Sensitivity
from unitymail.mail.part import Octets, Part
from unitymail.mail.reply import Reply
from unitymail.mail.sensitivity import FIELDS, importance_of, sensitivity_of
from unitymail.mail.structure import scan
from unitymail.mail.vpim.base64_lines import base64_lines, blocks_of
from unitymail.mail.vpim.body import Body
from unitymail.mail.vpim.forms import form_of
from unitymail.mail.vpim.inbound import Contents, contents_of
from unitymail.mail.vpim.outlook import (
    Attached,
    Heading,
    Speaker,
    header_of,
    part_header,
    subject_for,
    text_part,
)
from unitymail.mail.windows import blocks
from unitymail.people.location import Location
from unitymail.people.user import User
from unitymail.routing.resolve import resolve


class NoMedia(Never):
    """There is nothing in it that a mailbox here can take (RFC 3801 4.5.3)."""

    default = Reply(554, "5.6.1", "The message holds no audio or fax in a form that this system can take")


class UnknownCodec(NoMedia):
    """RFC 3801 4.5.3: it must go back, whole."""

    default = Reply(554, "5.6.1", "The audio of the message is in a form that this system cannot play")


@dataclass(frozen=True, slots=True)
class Converted:
    """One variant: its trace, and the whole message in an unnamed file, at its first octet."""

    trace: str
    file: BinaryIO
    subject: str
    message_id: str
    importance: Importance
    sensitivity: Sensitivity
    asks_receipt: bool


@dataclass(frozen=True, slots=True)
class Conversion:
    """`made` by whether fax pages are in it; a variant with nothing in it is not made. Close it after use."""

    made: dict[bool, Converted]
    has_fax: bool
    seconds: float
    removed: tuple[str, ...]

    def of(self, *, takes_fax: bool) -> Converted | None:
        """What such a user gets; None when nothing is left for that one."""
        return self.made.get(takes_fax or not self.has_fax)

    def close(self) -> None:
        for one in self.made.values():
            one.file.close()


class OutlookForm:
    """`host` is this node's name."""

    def __init__(self, *, codec: ICodec, book: IBook, host: str) -> None:
        self._codec = codec
        self._book = book
        self._host = host

    def convert(self, item: Item, trail: bytes, wanted: Iterable[bool]) -> Conversion:
        """`wanted`: whether somebody takes fax, and whether somebody does not. `trail` is our own Received field.

        Raises NoMedia, CannotDecode, TooLong, OSError.
        """
        with received(item) as buffer:
            return _Converting(self._codec, self._book, self._host, item, buffer).convert(trail, set(wanted))


class _Converting:
    """One message at work. What is attached is written once, ready, to a file of `parts`; variants copy from there."""

    def __init__(self, codec: ICodec, book: IBook, host: str, item: Item, buffer: Octets) -> None:
        self._codec = codec
        self._host = host
        self._item = item
        self._buffer = buffer
        self._root = scan(buffer).root
        self._people = People(book, item.origin_user)
        self._left = float(book.site.vpim_max_seconds)
        self._until = thread_time() + work_for(self._left)
        self._seconds = 0.0
        self._attached: list[tuple[Attached, int, int]] = []

    def convert(self, trail: bytes, wanted: set[bool]) -> Conversion:
        contents = contents_of(self._root)
        has_fax = contents.has_fax
        with temporary(self._item) as parts, temporary(self._item) as wav:
            for inner in contents.everything():
                self._attach(inner, parts, wav, forwarded=inner is not contents)
            if not self._attached:
                raise NoMedia()
            heading = self._heading(trail, contents)
            made = {fax: self._write(heading, parts, fax=fax) for fax in (wanted if has_fax else {True})}
        removed = tuple(name for inner in contents.everything() for name in inner.removed)
        return Conversion({fax: one for fax, one in made.items() if one is not None}, has_fax, self._seconds, removed)

    def _attach(self, contents: Contents, parts: BinaryIO, wav: BinaryIO, *, forwarded: bool) -> None:
        """What is heard and seen of one message, then what it encloses."""
        sender = "" if forwarded else self._item.envelope.sender
        who = self._people.speaker(self._buffer, contents.root, sender).shown
        sent = _sent(self._buffer, contents.root) if forwarded else ""
        audio = self._audible(contents)
        if audio and (seconds := self._play(audio, wav)):
            one = Attached("voice", self._next("voice"), who, seconds, forwarded, sent)
            self._add(one, parts, base64_lines(blocks_of(wav)))
        for fax in contents.faxes:
            one = Attached("fax", self._next("fax"), who, forwarded=forwarded, sent=sent)
            self._add(one, parts, base64_lines(Body(self._buffer, fax).blocks()))
        for part in contents.enclosed:
            if (encoding := _carried(self._buffer, part)) is not None:
                one = Attached("message", self._next("message"), encoding=encoding)
                self._add(one, parts, chain(blocks(self._buffer, part.body, part.end), (b"\r\n",)))

    def _audible(self, contents: Contents) -> list[Sound]:
        """Its recordings. A file that only its name calls one, and nothing in it, is left out as any other file."""
        found = []
        for part in contents.audio:
            form = self._form(part)
            if not part.size:
                continue
            if form is not None:
                found.append(Sound(cast(BinaryIO, Body(self._buffer, part)), form))
            elif is_audio(part) or voice_role(part):
                raise UnknownCodec(why=f"{part.media_type} is no audio that can be decoded here")
            else:
                contents.removed.append(part.filename)
        return found

    def _next(self, kind: str) -> int:
        return 1 + sum(1 for one, _, _ in self._attached if one.kind == kind)

    def _add(self, one: Attached, parts: BinaryIO, body: Iterable[bytes]) -> None:
        start = parts.tell()
        parts.write(part_header(one))
        parts.writelines(body)
        self._attached.append((one, start, parts.tell()))

    def _play(self, sounds: Sequence[Sound], wav: BinaryIO) -> float:
        """All of it as one WAV, in order; how many seconds it lasts."""
        wav.seek(0)
        wav.truncate()
        seconds = self._codec.convert(sounds, "mu-law-wav", wav, most_seconds=self._left, until=self._until)
        wav.seek(0)
        self._left -= seconds
        self._seconds += seconds
        return seconds

    def _form(self, part: Part) -> str | None:
        location = self._people.location
        return form_of(self._buffer, part, swapped=location is not None and location.swap_code_words)

    def _heading(self, trail: bytes, contents: Contents) -> Heading:
        item, buffer, root = self._item, self._buffer, self._root
        speaker, category = self._people.speaker(buffer, root, item.envelope.sender), Category(item.category)
        raw_id = first(buffer, root, b"message-id")
        return Heading(
            category, speaker, self._people.listed(buffer, root, b"to"), self._people.listed(buffer, root, b"cc"),
            item.subject.strip() or _formatted_subject(item) or subject_for(category, speaker),
            self._sensitivity(contents), importance_of(_named(buffer, root, FIELDS)),
            writing.message_id(decode(raw_id)) if raw_id is not None else "", item.arrived, trail,
        )

    def _sensitivity(self, contents: Contents) -> Sensitivity:
        """A private message that was forwarded has no header of its own here: it makes the whole private."""
        inner = (sensitivity_of(_named(self._buffer, one.root, (b"sensitivity",))) for one in contents.everything())
        return Sensitivity.PRIVATE if Sensitivity.PRIVATE in inner else Sensitivity(self._item.sensitivity)

    def _write(self, heading: Heading, parts: BinaryIO, *, fax: bool) -> Converted | None:
        chosen = [one for one in self._attached if fax or one[0].kind != "fax"]
        if not chosen:
            return None
        trace = f"{self._item.trace}-v{0 if fax else 1}"
        boundary = boundary_for(trace, self._buffer)
        delimiter = b"--" + boundary
        heading = replace(heading, message_id=heading.message_id or f"<{trace}@{self._host}>")
        file = temporary(self._item)
        file.write(header_of(heading, self._buffer, self._root, boundary))
        file.write(delimiter + b"\r\n" + text_part([one for one, _, _ in chosen]))
        for _, start, end in chosen:
            file.write(delimiter + b"\r\n")
            parts.seek(start)
            file.writelines(blocks_of(parts, end - start))
        file.write(delimiter + b"--\r\n")
        file.seek(0)
        return Converted(
            trace, file, heading.subject, heading.message_id, heading.importance, heading.sensitivity,
            self._asks_receipt(),
        )

    def _asks_receipt(self) -> bool:
        asking = _named(self._buffer, self._root, (b"disposition-notification-to", b"auto-submitted"))
        return b"disposition-notification-to" in asking and not automatic_word(asking)


class People:
    """The people of a message as the address book knows them. `origin` is the id of the VPIM location, or another's."""

    def __init__(self, book: IBook, origin: str) -> None:
        self._book = book
        self._origin = origin
        self.location: Location | None = book.location(origin) if origin else None

    def speaker(self, buffer: Octets, root: Part, sender: str = "") -> Speaker:
        """Whose From it is: a contact's name and the address that answers reach, else what the sender wrote.

        `sender` is the envelope's: it stands for a From that is missing.
        """
        raw = first(buffer, root, b"from")
        name, address = next(iter(addresses(raw)), Mailbox("", sender)) if raw is not None else Mailbox("", sender)
        local, domain = split(address)
        location = self._book.vpim_location_of(domain, local) if domain else None
        number = number_at(location, address) if location is not None else ""
        contact = self._book.contact_at(location.id, number) if location is not None and number else None
        if contact is None:
            return Speaker(name, number or (local if local.removeprefix("+").isdigit() else ""), address)
        return Speaker(contact.display_name or name, number, contact.proxies[0] if contact.proxies else address)

    def listed(self, buffer: Octets, root: Part, field: bytes) -> list[tuple[str, str]]:
        """The mailboxes of To or Cc, those of the directory with its names and addresses, so that answers reach all."""
        raw = first(buffer, root, field)
        return [self._person(one) for one in addresses(raw)] if raw is not None else []

    def _person(self, one: Mailbox) -> tuple[str, str]:
        entry = resolve(one.address, self._book, self.location).entry
        if entry is None:
            return one.name, one.address
        name = entry.display_name or one.name
        return (name, entry.address) if isinstance(entry, User) and entry.address else (name, one.address)


def _sent(buffer: Octets, root: Part) -> str:
    raw = first(buffer, root, b"date")
    moment = read_date(raw) if raw is not None else None
    return writing.date_in_words(moment.seconds) if moment is not None and moment.seconds > 0 else ""


def _named(buffer: Octets, root: Part, names: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    return {name: [raw] for name in names if (raw := first(buffer, root, name)) is not None}


def _formatted_subject(item: Item) -> str:
    """The Subject that the site's format gave a message without one: it stands in our own header block."""
    with open(item.path, "rb") as file:
        head = file.read(item.head)
    raw = first(head, Part(0, len(head), len(head), "text", "plain", ()), b"subject")
    return decode(raw).strip() if raw is not None else ""


def _carried(buffer: Octets, part: Part) -> Literal["7bit", "8bit"] | None:
    """How an enclosed message may stand in a message/rfc822 part; None when it holds NUL, bare CR or LF."""
    eight = False
    for block in blocks(buffer, part.body, part.end):
        lines = block.count(b"\r\n")
        if b"\0" in block or block.count(b"\n") != lines or block.count(b"\r") != lines:
            return None
        eight = eight or not block.isascii()
    return "8bit" if eight else "7bit"
