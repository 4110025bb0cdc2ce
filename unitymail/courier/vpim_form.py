"""Converting a message that waits in the spool into what a VPIM location takes. Blocking: in an audio thread.

Knows the order in which things are made, and temporary files; refuses to know which parts go (`mail.vpim.selection`),
how they are written (`mail.vpim.outbound`), how audio is converted (the codec), and how the result is sent.

Note *Two passes*. The length of a recording stands before it, and what holds no sound is left out. So all recordings
are made first, into one file without a name, and the message is written around them into another.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from time import thread_time
from typing import BinaryIO, cast

from unitymail.courier.deciding import received
from unitymail.courier.scratch import temporary
from unitymail.courier.vpim_people import People, people_of
from unitymail.interfaces.book import IBook
from unitymail.interfaces.codec import AudioForm, CannotDecode, ICodec, Sound, TooLong, work_for
from unitymail.interfaces.directory import IDirectory
from unitymail.interfaces.spool import Item
from unitymail.mail.message import Sensitivity
from unitymail.mail.part import Octets
from unitymail.mail.structure import Structure, scan
from unitymail.mail.vpim.body import Body
from unitymail.mail.vpim.heading import Cover
from unitymail.mail.vpim.outbound import Material, Recording, message
from unitymail.mail.vpim.selection import NOTHING_LEFT, Refused, Selection, Voice, select
from unitymail.people.location import Location
from unitymail.routing.steps import Convert

NAME_S, SUBJECT_S = 10, 20
"""What is longer is cut (message-formats.md 5): a name lasts about 5 s, a spoken subject about 10."""
G726_A_SECOND = 4_000


@dataclass(frozen=True, slots=True)
class VpimMessage:
    """The message in an unnamed file of `size` octets; close it after use. `sender` is the envelope's there."""

    file: BinaryIO
    size: int
    sender: str
    seconds: float
    removed: tuple[str, ...]

    @property
    def path(self) -> str:
        """A name by which this process can open the file again, as long as it is not closed."""
        return f"/dev/fd/{self.file.fileno()}"

    def close(self) -> None:
        self.file.close()


class VpimForm:
    """`host` is this node's name."""

    def __init__(self, *, codec: ICodec, book: IBook, directory: IDirectory, host: str) -> None:
        self._codec = codec
        self._book = book
        self._directory = directory
        self._host = host

    def convert(
        self, item: Item, steps: Sequence[Convert], location: Location, trail: bytes
    ) -> VpimMessage | Refused:
        """One message for all of `steps`. `trail` is our own Received field.

        Raises CannotDecode, TooLong, OSError.
        """
        with received(item) as buffer:
            structure = scan(buffer)
            people = people_of(item, steps, location, buffer, structure.root, self._book)
            if isinstance(people, Refused):
                return people
            selection = self._select(item, buffer, structure, location)
            if isinstance(selection, Refused):
                return selection
            cover = Cover(
                item.trace, location.id, self._host, item.arrived, trail, people.sender, people.to, people.cc,
                anonymous=people.anonymous or not people.reverse, private=item.sensitivity == Sensitivity.PRIVATE.value,
            )  # fmt: skip
            with temporary(item) as sounds:
                recordist = _Recordist(self._codec, location, buffer, sounds, float(self._book.site.vpim_max_seconds))
                return self._put_together(item, selection, cover, people, location, recordist)

    def _select(
        self, item: Item, buffer: Octets, structure: Structure, location: Location
    ) -> Selection | Refused:
        source = self._book.location(item.origin_user) if item.origin_user else None
        return select(
            buffer, structure, fax=location.fax, swapped=source is not None and source.swap_code_words
        )

    def _put_together(
        self, item: Item, selection: Selection, cover: Cover, people: People, location: Location,
        recordist: _Recordist,
    ) -> VpimMessage | Refused:
        recordings = recordist.record(selection)
        selection = selection.without([voice for voice, made in recordings.items() if not made.seconds])
        if selection.is_empty:
            return NOTHING_LEFT
        name = None
        if location.send_spoken_name and people.user and selection.name is None:
            with self._directory.read() as view:
                name = recordist.name(view.spoken_name(people.user))
        material = Material(recordist.buffer, cover, recordings, recordist.wav, name)
        file = temporary(item)
        try:
            for block in message(selection, material):
                file.write(block)
            file.flush()
        except BaseException:
            file.close()
            raise
        seconds = sum(recordings[voice].seconds for voice in selection.voices() if voice in recordist.messages)
        return VpimMessage(file, file.tell(), people.reverse, seconds, selection.removed)


class _Recordist:
    """Makes the recordings of a message, one behind the other in `sounds`.

    Messages last `left` seconds in all at most, else there is too much; names and spoken subjects as much again. All
    of them together take the work of one.
    """

    def __init__(self, codec: ICodec, location: Location, buffer: Octets, sounds: BinaryIO, left: float) -> None:
        self.buffer = buffer
        self.wav = location.audio == "mu-law"
        self.messages: set[Voice] = set()
        self._form: AudioForm = "mu-law-wav" if self.wav else "g726-swapped" if location.swap_code_words else "g726"
        self._codec = codec
        self._sounds = sounds
        self._left = left
        self._left_for_names = left
        self._until = thread_time() + work_for(left)

    def record(self, selection: Selection) -> dict[Voice, Recording]:
        """Everything that is to be heard, enclosed messages included."""
        made: dict[Voice, Recording] = {}
        if selection.name is not None:
            made[selection.name] = self._short(self._sources(selection.name), NAME_S)
        if selection.subject is not None:
            made[selection.subject] = self._short(self._sources(selection.subject), SUBJECT_S)
        if selection.message is not None:
            recording = self._convert(self._sources(selection.message), self._form, self._left)
            self._left -= recording.seconds
            made[selection.message] = recording
            self.messages.add(selection.message)
        for inner in selection.enclosed:
            made |= self.record(inner)
        return made

    def name(self, octets: bytes) -> Recording | None:
        """A name of the directory, which is 32KADPCM."""
        return self._kept(octets[: NAME_S * G726_A_SECOND]) if octets else None

    def _sources(self, voice: Voice) -> list[Sound]:
        return [Sound(cast(BinaryIO, Body(self.buffer, part)), form) for part, form in voice.sounds]

    def _short(self, sources: list[Sound], most_seconds: int) -> Recording:
        """No message is returned for its recorded name: one that cannot be made is left out."""
        start = self._sounds.seek(0, os.SEEK_END)
        try:
            whole = self._convert(sources, "g726", self._left_for_names)
        except (CannotDecode, TooLong) as trouble:
            self._left_for_names *= not isinstance(trouble, TooLong)
            self._sounds.truncate(start)
            return Recording(self._sounds, start, 0, 0.0)
        self._left_for_names -= whole.seconds
        self._sounds.seek(start)
        octets = self._sounds.read(min(whole.size, most_seconds * G726_A_SECOND))
        self._sounds.truncate(start)
        return self._kept(octets) if octets else whole

    def _kept(self, octets: bytes) -> Recording:
        """32KADPCM of a few seconds in the form that the location wants."""
        return self._convert([Sound(BytesIO(octets), "g726")], self._form, len(octets) / G726_A_SECOND + 1)

    def _convert(self, sources: list[Sound], form: AudioForm, most_seconds: float) -> Recording:
        sounds = self._sounds
        start = sounds.seek(0, os.SEEK_END)
        seconds = self._codec.convert(sources, form, sounds, most_seconds=most_seconds, until=self._until)
        end = sounds.seek(0, os.SEEK_END)
        return Recording(sounds, start, end - start, seconds)
