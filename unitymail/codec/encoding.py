"""From samples to what is sent and stored: G.726 in both orders, mu-law, and WAV of mu-law or PCM.

Knows the encoders and the WAV header; refuses to keep more than a frame. `out` of a WAV must be seekable, since its
sizes stand in front.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import av
from av.audio.frame import AudioFrame

from unitymail.codec.forms import TELEPHONE_RATE
from unitymail.interfaces.codec import AudioForm

G726_FRAME = 2048
"""Samples that FFmpeg's encoder takes at once with 4-bit code words; fewer only at the end."""

_MULAW, _PCM = 7, 1
_HEADER = "<4sI4s" "4sIHHIIHHH" "4sII" "4sI"


class Encoder(Protocol):
    """Takes little-endian 16-bit samples in blocks of any even length."""

    def write(self, block: bytes) -> None: ...
    def finish(self) -> None: ...


class _Encoded:
    """An encoder of FFmpeg, fed with whole frames."""

    def __init__(self, name: str, out: BinaryIO) -> None:
        context: Any = av.CodecContext.create(name, "w")
        context.sample_rate = TELEPHONE_RATE
        context.layout = "mono"
        context.format = "s16"
        if name.startswith("g726"):
            context.bit_rate = 4 * TELEPHONE_RATE
        context.thread_count = 1
        context.open()
        self._context = context
        self._out = out
        self._waiting = bytearray()
        self.octets = 0

    def write(self, block: bytes) -> None:
        waiting = self._waiting
        waiting += block
        whole = len(waiting) - len(waiting) % (2 * G726_FRAME)
        for start in range(0, whole, 2 * G726_FRAME):
            self._encode(bytes(waiting[start : start + 2 * G726_FRAME]))
        del waiting[:whole]

    def finish(self) -> None:
        if self._waiting:
            self._encode(bytes(self._waiting))
            self._waiting.clear()
        self._put(self._context.encode(None))

    def _encode(self, samples: bytes) -> None:
        frame = AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
        plane = frame.planes[0]
        plane.update(samples.ljust(plane.buffer_size, b"\0"))
        frame.sample_rate = TELEPHONE_RATE
        self._put(self._context.encode(frame))

    def _put(self, packets: Any) -> None:
        for packet in packets:
            octets = bytes(packet)
            self.octets += len(octets)
            self._out.write(octets)


class _Plain:
    """The samples as they are."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.octets = 0

    def write(self, block: bytes) -> None:
        self.octets += len(block)
        self._out.write(block)

    def finish(self) -> None:
        pass


class _Wav:
    """RIFF around an encoder: fmt of 18 octets, fact, data; what Windows plays with format tag 7."""

    def __init__(self, out: BinaryIO, tag: int, bits: int, inner: _Encoded | _Plain) -> None:
        self._out = out
        self._tag = tag
        self._width = bits // 8
        self._inner = inner
        self._start = out.tell()
        out.write(self._header(0))

    def write(self, block: bytes) -> None:
        self._inner.write(block)

    def finish(self) -> None:
        self._inner.finish()
        size = self._inner.octets
        if size % 2:
            self._out.write(b"\0")
        end = self._out.tell()
        self._out.seek(self._start)
        self._out.write(self._header(size))
        self._out.seek(end)

    def _header(self, size: int) -> bytes:
        whole = struct.calcsize(_HEADER) - 8 + size + size % 2
        return struct.pack(
            _HEADER, b"RIFF", whole, b"WAVE",
            b"fmt ", 18, self._tag, 1, TELEPHONE_RATE, TELEPHONE_RATE * self._width, self._width, self._width * 8, 0,
            b"fact", 4, size // self._width,
            b"data", size,
        )  # fmt: skip


_ENCODERS: dict[AudioForm, Callable[[BinaryIO], Encoder]] = {
    "g726": lambda out: _Encoded("g726le", out),
    "g726-swapped": lambda out: _Encoded("g726", out),
    "mu-law": lambda out: _Encoded("pcm_mulaw", out),
    "mu-law-wav": lambda out: _Wav(out, _MULAW, 8, _Encoded("pcm_mulaw", out)),
    "pcm-wav": lambda out: _Wav(out, _PCM, 16, _Plain(out)),
}


def encoder(to: AudioForm, out: BinaryIO) -> Encoder:
    return _ENCODERS[to](out)
