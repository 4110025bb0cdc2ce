"""Audio from one form into another. Blocking and CPU-bound: call it in the audio threads, never in the reactor's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

from zope.interface import Interface

from unitymail.interfaces.errors import Never
from unitymail.mail.reply import Reply

# mypy: disable-error-code="misc,empty-body"

AudioForm = Literal["g726", "g726-swapped", "mu-law", "mu-law-wav", "pcm-wav"]
"""g726: RFC 3802, first code word in the low four bits; swapped: in the high ones. mu-law: raw, audio/basic."""


class CannotDecode(Never):
    """The octets are no audio that can be decoded."""

    default = Reply(554, "5.6.5", "The audio of the message cannot be decoded")


class TooLong(Never):
    """There is more audio than may be decoded."""

    default = Reply(554, "5.3.4", "The audio of the message is too long")


@dataclass(frozen=True, slots=True)
class Sound:
    """Encoded audio to be read: `file` is at its first octet; `form` names its container or codec.

    `form` is what `mail.audio` says of the part: wav, au, g726, g726-swapped, mu-law, a-law, gsm, amr, ogg, mp3, asf …
    """

    file: BinaryIO
    form: str


def work_for(most_seconds: float) -> float:
    """Seconds of a processor that so much audio may take: ten times what the dearest honest recording needs."""
    return 30 + most_seconds / 60


class ICodec(Interface):
    def convert(
        sounds: Sequence[Sound], to: AudioForm, out: BinaryIO, *, most_seconds: float, until: float | None = None
    ) -> float:
        """Write the sounds, one after the other, as one of 8,000 Hz mono; how many seconds they last.

        Seconds are counted from decoded samples. Memory does not grow with their length. 0.0 when there is no sample.
        `until`: who converts several times sets one end for all, of this thread's CPU time (`time.thread_time`).
        Raises CannotDecode (it takes too much work, too), TooLong; after either `out` holds rubbish.
        """
