"""What FFmpeg may take of this machine while it reads what strangers sent.

Knows which few octets make it ask for much; refuses to know forms and samples.

Note *Memory*. Sizes in a file's index are claims: 4 kB of MP4 that speak of 300 million samples are 10 GB of index
before the first of them is read. FFmpeg therefore gets no piece larger than LARGEST_PIECE, which is an index of four
hours, and makes few streams, each of which has an index. What does not fit cannot be decoded.

Note *Time*. A lossless silence of eight channels at 384 kHz takes a minute for each megabyte. The time that counts is
the processor's, of this thread: on a busy machine nobody's honest recording is given up.
"""

from __future__ import annotations

import ctypes
from time import thread_time

import av._core

from unitymail.interfaces.codec import CannotDecode

LARGEST_PIECE = 16 << 20
MOST_STREAMS = 8

_ffmpeg = ctypes.CDLL(av._core.__file__)  # finds what the libraries behind it export
_ffmpeg.av_max_alloc.argtypes = (ctypes.c_size_t,)
_ffmpeg.av_max_alloc.restype = None
_ffmpeg.av_max_alloc(LARGEST_PIECE)


class Effort:
    """The work of one conversion, which is over when this thread's CPU time is `until`."""

    def __init__(self, until: float) -> None:
        self._until = until

    def check(self) -> None:
        if thread_time() > self._until:
            raise CannotDecode(why="decoding the audio takes more work than any recording should")
