"""`ICodec`: sounds in, one sound out. Knows the limits of one conversion; the work is in `decoding` and `encoding`.

Note *What is passed on*. One 32KADPCM that stays 32KADPCM is copied: decoded and encoded again it would be noisier
each time somebody forwards it. Several are not, for a decoder goes on with what it learnt of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import thread_time
from typing import BinaryIO

from zope.interface import implementer

from unitymail.codec.bounds import Effort
from unitymail.codec.decoding import samples
from unitymail.codec.encoding import encoder
from unitymail.codec.forms import TELEPHONE_RATE
from unitymail.interfaces.codec import AudioForm, ICodec, Sound, TooLong, work_for

PASSED_ON = ("g726", "g726-swapped")
_PIECE = 1 << 16


@implementer(ICodec)
class Codec:
    """Without state: one serves all threads."""

    def convert(
        self, sounds: Sequence[Sound], to: AudioForm, out: BinaryIO, *, most_seconds: float, until: float | None = None
    ) -> float:
        length = _Length(most_seconds)
        if len(sounds) == 1 and to in PASSED_ON and sounds[0].form == to:
            while octets := sounds[0].file.read(_PIECE):
                length.add(2 * len(octets))
                out.write(octets)
            return length.seconds
        effort = Effort(thread_time() + work_for(most_seconds) if until is None else until)
        writing = encoder(to, out)
        for sound in sounds:
            for block in samples(sound, effort):
                length.add(len(block) // 2)
                writing.write(block)
        writing.finish()
        return length.seconds


class _Length:
    """How long it has become, which is not more than it may be."""

    def __init__(self, most_seconds: float) -> None:
        self._most = most_seconds
        self.seconds = 0.0
        self._samples = 0

    def add(self, samples: int) -> None:
        self._samples += samples
        self.seconds = self._samples / TELEPHONE_RATE
        if self.seconds > self._most:
            raise TooLong(why=f"there are more than {self._most:g} s of audio")
