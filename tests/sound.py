"""Sound for tests: the reference recording of the vectors, how near another is to it, and a second decoder."""

import array
import io
import math
import pathlib
import subprocess
import sys
import tomllib

import av

from unitymail.codec import Codec
from unitymail.interfaces.codec import Sound

VECTORS = pathlib.Path(__file__).parent / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text())
REFERENCE = (VECTORS / INDEX["audio"]["reference_pcm"]).read_bytes()
NEAR_DB = INDEX["audio"]["min_snr_db_cross_decoder"]
NOISE_DB = 3.0
WAV_HEADER = 58


def shorts(samples):
    found = array.array("h", samples[: len(samples) // 2 * 2])
    if sys.byteorder == "big":
        found.byteswap()
    return found


def snr_db(reference, samples):
    """Signal to noise of little-endian 16-bit samples against the reference, over what both have."""
    pairs = list(zip(shorts(reference), shorts(samples), strict=False))
    signal = sum(a * a for a, _ in pairs)
    noise = sum((a - b) ** 2 for a, b in pairs)
    return 10 * math.log10(signal / noise) if noise and signal else 120.0 if signal else -120.0


class WatchedCodec(Codec):
    """`ends` holds until when each conversion may take the processor's time."""

    def __init__(self):
        self.ends = []

    def convert(self, sounds, to, out, *, most_seconds, until=None):
        self.ends.append(until)
        return super().convert(sounds, to, out, most_seconds=most_seconds, until=until)


def converted(octets, form, to="pcm-wav", most_seconds=3600.0):
    """(octets, seconds) of one sound in another form."""
    out = io.BytesIO()
    seconds = Codec().convert([Sound(io.BytesIO(octets), form)], to, out, most_seconds=most_seconds)
    return out.getvalue(), seconds


def samples_of(octets, form):
    return converted(octets, form)[0][WAV_HEADER:]


def by_ffmpeg(octets, demuxer, *options):
    """Samples as Debian's FFmpeg decodes them, which shares no file with the one inside PyAV."""
    done = subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", demuxer, *options, "-i", "pipe:0",
         "-f", "s16le", "-ar", "8000", "-ac", "1", "pipe:1"],
        input=octets, capture_output=True, check=True, timeout=60,
    )
    return done.stdout


def encoded_by_ffmpeg(samples, muxer, *options):
    """8,000 Hz samples in another form; b"" when this FFmpeg has no such encoder."""
    done = subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0",
         *options, "-f", muxer, "pipe:1"],
        input=samples, capture_output=True, timeout=60,
    )
    return done.stdout if done.returncode == 0 else b""


def amr(samples):
    """8,000 Hz samples as a mobile phone records them; Debian's FFmpeg can only play that."""
    out = io.BytesIO()
    with av.open(out, "w", format="amr") as file:
        stream = file.add_stream("libopencore_amrnb", rate=8000, layout="mono", bit_rate=12_200)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
        frame.sample_rate = 8000
        frame.planes[0].update(samples)
        for each in (*av.AudioResampler("s16", "mono", 8000, frame_size=160).resample(frame), None):
            file.mux(stream.encode(each))
    return out.getvalue()
