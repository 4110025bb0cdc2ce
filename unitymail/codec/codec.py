"""`ICodec`: sounds in, one sound out. Knows the limits of one conversion; the work is in `decoding` and `encoding`."""

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


@implementer(ICodec)
class Codec:
    """Without state: one serves all threads."""

    def convert(
        self, sounds: Sequence[Sound], to: AudioForm, out: BinaryIO, *, most_seconds: float, until: float | None = None
    ) -> float:
        effort = Effort(thread_time() + work_for(most_seconds) if until is None else until)
        most = most_seconds * TELEPHONE_RATE
        writing = encoder(to, out)
        count = 0
        for sound in sounds:
            for block in samples(sound, effort):
                count += len(block) // 2
                if count > most:
                    raise TooLong(why=f"there are more than {most_seconds:g} s of audio")
                writing.write(block)
        writing.finish()
        return count / TELEPHONE_RATE
