"""From encoded audio to samples: 16 bits, one channel, 8,000 a second, a block at a time.

Knows what PyAV raises on bad octets and when that matters; refuses to keep more than a packet in memory.

Note *Good audio before a bad end*. A packet that cannot be decoded is skipped: a WAV of GSM ends with a pad octet that
arrives as a packet, recordings are cut short, sizes in headers are wrong. Only audio of which no sample could be
decoded is refused.

Note *Bounds*. Decoded seconds are the caller's to count, and each block is small; the octets read are bounded here,
because a damaged file may send its reader round in circles. Memory and time have a room of their own (`bounds`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from unitymail.codec.bounds import MOST_STREAMS, Effort
from unitymail.codec.forms import DECODERS, TELEPHONE_RATE, form_of
from unitymail.interfaces.codec import CannotDecode, Sound

SLOWEST, FASTEST = 1_000, 384_000
"""Sample rates that are believed: one of 1 Hz makes 8,000 samples of each octet."""
READ_AGAIN = 4
FREE_READING = 16 << 20

_EXPECTED = (FFmpegError, ValueError)
"""What bad octets raise. ValueError comes from the resampler and from names that are no UTF-8; both are no fault."""


class _ReadsOnAndOn(ValueError):
    """The demuxer reads the same octets over and over."""


class _Source:
    """What FFmpeg may do with the file: read and seek, never close, never for ever."""

    def __init__(self, file: BinaryIO, effort: Effort) -> None:
        self._file = file
        self._effort = effort
        self._read = 0
        self._furthest = 0

    def read(self, size: int) -> bytes:
        self._effort.check()
        octets = self._file.read(size)
        self._read += len(octets)
        self._furthest = max(self._furthest, self._file.tell())
        if self._read > READ_AGAIN * self._furthest + FREE_READING:
            raise _ReadsOnAndOn
        return octets

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return self._file.seekable()


def samples(sound: Sound, effort: Effort) -> Iterator[bytes]:
    """Blocks of little-endian samples; none at all for audio without any. Raises CannotDecode."""
    form = form_of(sound.form)
    if form is None:
        raise CannotDecode(why=f"audio of the form {sound.form!r} is not known")
    options = {
        **form.options, "codec_whitelist": ",".join(sorted(DECODERS)), "protocol_whitelist": "none",
        "max_streams": str(MOST_STREAMS),
    }  # fmt: skip
    try:
        container: Any = av.open(
            _Source(sound.file, effort), format=form.demuxer, container_options=options, metadata_errors="replace"
        )
    except _EXPECTED as error:
        raise CannotDecode(why=f"the audio is no {sound.form}: {error}") from error
    with container:
        yield from _decoded(container, sound.form, effort)


def _decoded(container: Any, form: str, effort: Effort) -> Iterator[bytes]:
    stream = next(iter(container.streams.audio), None)
    if stream is None or stream.codec_context is None or stream.codec_context.name not in DECODERS:
        raise CannotDecode(why=f"the {form} holds no audio that is known here")
    stream.codec_context.thread_count = 1
    resampling = _Resampling()
    failure: Exception | None = None
    some = False
    for item in _packets(container, stream):
        if isinstance(item, Exception):
            failure = item
            continue
        effort.check()
        try:
            blocks = [block for frame in item.decode() for block in resampling.take(frame)]
        except _EXPECTED as error:
            failure = error
            continue
        some = some or bool(blocks)
        yield from blocks
    for block in resampling.rest():
        some = True
        yield block
    if failure is not None and not some:
        raise CannotDecode(why=f"nothing of the {form} can be decoded: {failure}") from failure


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream, the one that flushes the decoder last; then what ended the reading badly."""
    try:
        yield from container.demux(stream)
    except _EXPECTED as error:
        yield error


class _Resampling:
    """Frames of any shape into telephone samples. A stream may change its shape midway."""

    def __init__(self) -> None:
        self._shape: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def take(self, frame: AudioFrame) -> list[bytes]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        before: list[bytes] = []
        if shape != self._shape:
            if not SLOWEST <= frame.sample_rate <= FASTEST:
                raise ValueError(f"{frame.sample_rate} Hz is no telephone audio")
            before = self.rest()
            self._resampler = AudioResampler(format="s16", layout="mono", rate=TELEPHONE_RATE)
            self._shape = shape
        assert self._resampler is not None
        frame.pts = None
        return before + [octets_of(ready) for ready in self._resampler.resample(frame)]

    def rest(self) -> list[bytes]:
        if self._resampler is None:
            return []
        resampler, self._resampler, self._shape = self._resampler, None, None
        try:
            return [octets_of(ready) for ready in resampler.resample(None) if ready.samples]
        except _EXPECTED:
            return []


def octets_of(frame: AudioFrame) -> bytes:
    """The samples of a mono frame; its buffer is longer than they are."""
    return bytes(frame.planes[0])[: frame.samples * 2]
