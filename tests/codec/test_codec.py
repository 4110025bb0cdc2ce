"""Sound in, sound out: what is heard is what was said, in every form, whatever the octets are."""

import io
import math
import os
import random
import struct
import subprocess
import sys
import time
import tracemalloc
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sound import (
    NEAR_DB,
    NOISE_DB,
    REFERENCE,
    VECTORS,
    by_ffmpeg,
    converted,
    encoded_by_ffmpeg,
    samples_of,
    shorts,
    snr_db,
)
from tests.stories.house import needs
from unitymail.codec import Codec
from unitymail.codec.bounds import Effort
from unitymail.codec.decoding import FREE_READING, READ_AGAIN, _Source
from unitymail.codec.forms import FORMS
from unitymail.interfaces.codec import CannotDecode, ICodec, Sound, TooLong, work_for

AUDIO = VECTORS / "audio"
ROOT = str(VECTORS.parent.parent)
G726 = (AUDIO / "message.726").read_bytes()
G726_BIG_ENDIAN = (AUDIO / "message_big_endian.726").read_bytes()
MU_LAW_WAV = (AUDIO / "message_ulaw.wav").read_bytes()
PCM_WAV, _ = converted(MU_LAW_WAV, "wav")
ROUND_TRIPS = {
    "g726": "g726", "g726-swapped": "g726-swapped", "mu-law": "mu-law", "mu-law-wav": "wav", "pcm-wav": "wav",
}


def test_it_is_a_codec():
    """It provides what the courier asks for."""
    assert ICodec.implementedBy(Codec)


@pytest.mark.parametrize(("octets", "form"), [(G726, "g726"), (G726_BIG_ENDIAN, "g726-swapped"), (MU_LAW_WAV, "wav")])
def test_what_is_heard(octets, form):
    """The recorded voice comes out of each form it was recorded in."""
    samples = samples_of(octets, form)
    assert abs(len(samples) - len(REFERENCE)) <= 4
    assert snr_db(REFERENCE, samples) >= NEAR_DB


@pytest.mark.parametrize(("octets", "form"), [(G726, "g726-swapped"), (G726_BIG_ENDIAN, "g726")])
def test_wrong_order_is_noise(octets, form):
    """Code words read in the wrong order are noise: the two orders cannot be mistaken for each other."""
    assert snr_db(REFERENCE, samples_of(octets, form)) < NOISE_DB


@pytest.mark.parametrize(("to", "form"), ROUND_TRIPS.items())
def test_round_trip(to, form):
    """What is written can be read again, and sounds the same."""
    octets, seconds = converted(PCM_WAV, "wav", to)
    assert seconds == pytest.approx(len(REFERENCE) / 16000, abs=0.001)
    assert snr_db(REFERENCE, samples_of(octets, form)) >= 21


@pytest.mark.parametrize(("to", "demuxer", "options"), [
    ("g726", "g726le", ("-code_size", "4")), ("g726-swapped", "g726", ("-code_size", "4")),
    ("mu-law", "mulaw", ("-ar", "8000")), ("mu-law-wav", "wav", ()), ("pcm-wav", "wav", ()),
])
def test_second_decoder(to, demuxer, options):
    """Another program decodes what we send: the voice in the right order, noise in the wrong one."""
    needs("ffmpeg")
    octets, _ = converted(PCM_WAV, "wav", to)
    assert snr_db(REFERENCE, by_ffmpeg(octets, demuxer, *options)) >= NEAR_DB
    other = {"g726le": "g726", "g726": "g726le"}.get(demuxer)
    if other:
        assert snr_db(REFERENCE, by_ffmpeg(octets, other, *options)) < NOISE_DB


def test_the_orders_are_each_other_swapped():
    """Swapping the halves of each octet makes one G.726 order from the other, bit for bit."""
    low, _ = converted(PCM_WAV, "wav", "g726")
    high, _ = converted(PCM_WAV, "wav", "g726-swapped")
    assert bytes((o << 4 & 0xF0) | o >> 4 for o in low) == high


def test_mu_law_wav_is_what_windows_plays():
    """Format tag 7, one channel, 8,000 Hz, an fmt of 18 octets, fact and data, every size right."""
    octets, seconds = converted(PCM_WAV, "wav", "mu-law-wav")
    count = round(seconds * 8000)
    assert octets[:58] == struct.pack(
        "<4sI4s4sIHHIIHHH4sII4sI", b"RIFF", len(octets) - 8, b"WAVE", b"fmt ", 18, 7, 1, 8000, 8000, 1, 8, 0,
        b"fact", 4, count, b"data", count,
    )
    assert len(octets) == 58 + count + count % 2


def test_pcm_wav_is_one_that_python_reads():
    """A reader that shares nothing with FFmpeg finds the same samples."""
    with wave.open(io.BytesIO(PCM_WAV)) as found:
        assert (found.getnchannels(), found.getframerate(), found.getsampwidth()) == (1, 8000, 2)
        assert found.readframes(1 << 20) == PCM_WAV[58:]


OTHERS = [
    *[("wav", "wav", f"-c:a {codec}") for codec in
      ("pcm_s16le", "pcm_alaw", "pcm_u8", "libgsm_ms", "adpcm_ms", "adpcm_ima_wav", "g726", "libmp3lame")],
    ("wav", "wav", "-ar 44100 -ac 2"), ("au", "au", "-c:a pcm_mulaw"), ("au", "au", "-c:a pcm_s16be"),
    ("gsm", "gsm", ""), ("a-law", "alaw", ""), ("mu-law", "mulaw", ""), ("l16", "s16be", ""),
    ("l16/16000/2", "s16be", "-ar 16000 -ac 2"), ("g722", "g722", "-ar 16000"), ("ogg", "ogg", "-c:a libvorbis"),
    ("ogg", "ogg", "-c:a libopus"), ("ogg", "ogg", "-c:a libspeex"), ("mp3", "mp3", ""), ("aac", "adts", "-ar 16000"),
    ("asf", "asf", "-c:a wmav2 -ar 16000"), ("flac", "flac", ""),
    ("3gp", "mov", "-c:a aac -ar 16000 -movflags frag_keyframe+empty_moov"),
]


@pytest.mark.parametrize(("form", "muxer", "options"), OTHERS)
def test_forms_of_others(form, muxer, options):
    """What other programs write is heard at its length: telephone, office and music formats."""
    needs("ffmpeg")
    octets = encoded_by_ffmpeg(REFERENCE, muxer, *options.split())
    assert octets, f"this ffmpeg cannot write {muxer} {options}"
    samples = samples_of(octets, form)
    assert len(samples) == pytest.approx(len(REFERENCE), rel=0.08)
    assert loudness(samples) == pytest.approx(loudness(REFERENCE), rel=0.35)


@pytest.mark.parametrize(("form", "name", "options"), [
    ("mp4", "voice.m4a", "-c:a aac -ar 16000"), ("aiff", "voice.aiff", "-ar 44100 -ac 2"),
    ("aiff", "voice.aiff", "-c:a pcm_mulaw"),
])
def test_forms_of_others_in_files(tmp_path, form, name, options):
    """A telephone's m4a, whose index stands at the end, is found by seeking; sizes stand at the front of others."""
    needs("ffmpeg")
    path = tmp_path / name
    subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "wav", "-i", "pipe:0", *options.split(), path],
                   input=PCM_WAV, check=True, timeout=60)
    assert loudness(samples_of(path.read_bytes(), form)) == pytest.approx(loudness(REFERENCE), rel=0.35)


def loudness(samples):
    values = shorts(samples)
    return (sum(v * v for v in values) / len(values)) ** 0.5


def test_amr():
    """The telephone recording of the vectors is 20 frames of AMR."""
    import email

    message = email.message_from_bytes((VECTORS / "voice_mobile_amr_hintless.eml").read_bytes())
    octets = next(p for p in message.walk() if p.get_content_maintype() == "audio").get_payload(decode=True)
    assert converted(octets, "amr")[1] == pytest.approx(0.4)


def test_sounds_are_joined():
    """Several recordings of several forms become one, in order, and its length is their sum."""
    out = io.BytesIO()
    sounds = [Sound(io.BytesIO(G726), "g726"), Sound(io.BytesIO(MU_LAW_WAV), "wav")]
    seconds = Codec().convert(sounds, "pcm-wav", out, most_seconds=10)
    samples = out.getvalue()[58:]
    assert seconds == pytest.approx(2 * 23332 / 8000, abs=0.001)
    assert snr_db(REFERENCE + b"\0\0" * (len(samples_of(G726, "g726")) // 2 - 23332) + REFERENCE, samples) >= NEAR_DB


@pytest.mark.parametrize("wrong_size", [0, 0xFFFFFFFF, 10_000_000])
def test_wav_with_a_wrong_size(wrong_size):
    """A recorder that died before it wrote the sizes has lost nothing."""
    octets = MU_LAW_WAV[:4] + struct.pack("<I", wrong_size) + MU_LAW_WAV[8:]
    at = octets.index(b"data") + 4
    octets = octets[:at] + struct.pack("<I", wrong_size) + octets[at + 4:]
    assert snr_db(REFERENCE, samples_of(octets, "wav")) >= NEAR_DB


@pytest.mark.parametrize(("octets", "form"), [(G726, "g726"), (G726_BIG_ENDIAN, "g726-swapped")])
def test_what_is_right_already_is_passed_on(octets, form):
    """32KADPCM in the wanted order stays as it is, so that it is no worse however often it is forwarded."""
    assert converted(octets, form, form) == (octets, len(octets) / 4000)
    with pytest.raises(TooLong):
        converted(octets, form, form, most_seconds=2.5)
    other = next(one for one in ("g726", "g726-swapped") if one != form)
    assert converted(octets, form, other)[0] != octets


def test_two_of_them_are_joined_as_sound():
    """Code words of two recordings do not go on from each other: they are decoded, and each sounds as it did."""
    out = io.BytesIO()
    sounds = [Sound(io.BytesIO(G726), "g726"), Sound(io.BytesIO(G726), "g726")]
    assert Codec().convert(sounds, "g726", out, most_seconds=60) == 2 * len(G726) / 4000
    assert out.getvalue() != G726 * 2
    whole = samples_of(out.getvalue(), "g726")
    assert min(snr_db(REFERENCE, whole), snr_db(REFERENCE, whole[len(G726) * 4 :])) > NEAR_DB


def test_cut_short():
    """What there is of a recording that was cut is heard."""
    assert converted(MU_LAW_WAV[:8058], "wav")[1] == pytest.approx(1.0, abs=0.01)


def test_no_audio():
    """A WAV that ends after its header lasts no time; it is not an error."""
    assert converted(PCM_WAV[:58], "wav")[1] == 0.0
    assert Codec().convert([], "g726", io.BytesIO(), most_seconds=1) == 0.0


@pytest.mark.parametrize(("octets", "form"), [
    (b"", "wav"), (b"not a wav at all", "wav"), (b"ffconcat version 1.0\nfile /etc/hosts\n", "wav"),
    (b"ffconcat version 1.0\nfile /etc/hosts\n", "mp4"), (MU_LAW_WAV, "concat"), (MU_LAW_WAV, "l16/x"),
    (MU_LAW_WAV, "l16/8000/9"), (MU_LAW_WAV, ""), (G726, "ogg"),
])
def test_what_is_no_audio_is_refused(octets, form):
    """Octets of another kind, and forms nobody knows, are refused and named, never guessed at."""
    with pytest.raises(CannotDecode) as refused:
        converted(octets, form)
    assert refused.value.reply.enhanced == "5.6.5"


def test_a_sample_a_second_is_not_believed():
    """A few octets that claim to last for hours are refused before they are blown up."""
    octets = bytearray(PCM_WAV)
    octets[24:28] = struct.pack("<I", 1)
    with pytest.raises(CannotDecode):
        converted(bytes(octets), "wav")


def test_many_channels():
    """Two are mixed into one; the recorder of a whole stage is refused."""
    def channels(count):
        header = struct.pack("<HHIIHH", 1, count, 8000, 16000 * count, 2 * count, 16)
        chunks = b"fmt " + struct.pack("<I", 16) + header + b"data" + struct.pack("<I", 3200 * count)
        return b"RIFF" + struct.pack("<I", 4 + len(chunks) + 3200 * count) + b"WAVE" + chunks + bytes(3200 * count)

    assert converted(channels(2), "wav")[1] == pytest.approx(0.2)
    for count in (17, 64):
        with pytest.raises(CannotDecode):
            converted(channels(count), "wav")


def test_another_codec_in_a_known_container():
    """A film's sound in a WAV is not handed to a decoder that is none of ours."""
    needs("ffmpeg")
    octets = encoded_by_ffmpeg(REFERENCE, "wav", "-ar", "44100", "-c:a", "ac3")
    assert octets
    with pytest.raises(CannotDecode):
        converted(octets, "wav")


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_the_last_sample_is_heard(rate):
    """Whatever the rate, as many seconds come out as go in: nothing stays behind in the resampler."""
    header = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    octets = (b"RIFF" + struct.pack("<I", 36 + 2 * rate) + b"WAVEfmt " + struct.pack("<I", 16) + header
              + b"data" + struct.pack("<I", 2 * rate) + b"\x10\x20" * rate)
    assert len(samples_of(octets, "wav")) // 2 == pytest.approx(8000, abs=1)


def test_the_shape_changes_midway():
    """An AAC that goes on at another rate is heard to its end, and what the first rate left behind is in its place."""
    needs("ffmpeg")
    first = encoded_by_ffmpeg(REFERENCE, "adts", "-ar", "16000")
    second = encoded_by_ffmpeg(REFERENCE, "adts", "-ar", "44100", "-ac", "2")
    whole = converted(first + second, "aac")[1]
    assert whole == pytest.approx(converted(first, "aac")[1] + converted(second, "aac")[1], abs=0.0001)


def test_good_audio_before_a_bad_end():
    """Frames that cannot be decoded at the end of a recording do not make it worthless."""
    needs("ffmpeg")
    octets = encoded_by_ffmpeg(REFERENCE, "wav", "-c:a", "libgsm_ms")
    start = octets.index(b"data") + 8
    cut = octets[: start + 65 * 20 + 1]
    assert converted(cut, "wav")[1] == pytest.approx(20 * 0.04)
    with pytest.raises(CannotDecode):
        converted(octets[: start + 1], "wav")


def test_a_title_in_no_charset():
    """What a recorder wrote about a recording may be any octets."""
    title = b"LIST" + struct.pack("<I", 14) + b"INFOINAM" + struct.pack("<I", 2) + b"\xff\xfe"
    octets = MU_LAW_WAV[:12] + title + MU_LAW_WAV[12:]
    octets = octets[:4] + struct.pack("<I", len(octets) - 8) + octets[8:]
    assert snr_db(REFERENCE, samples_of(octets, "wav")) >= NEAR_DB


def test_an_odd_number_of_octets_is_filled_up():
    """RIFF chunks are even: the size says how many count, and the file is where the next one would begin."""
    out = io.BytesIO(b"before")
    out.seek(0, io.SEEK_END)
    Codec().convert([Sound(io.BytesIO(b"\xff" * 801), "mu-law")], "mu-law-wav", out, most_seconds=1)
    octets = out.getvalue()[len(b"before"):]
    assert len(octets) == 58 + 802
    assert struct.unpack("<I", octets[4:8]) == (len(octets) - 8,)
    assert struct.unpack("<I", octets[54:58]) == (801,)
    assert out.tell() == len(out.getvalue())


def test_no_film():
    """A form whose stream is no audio is refused."""
    needs("ffmpeg")
    film = "-loglevel error -f lavfi -i testsrc=d=0.2:s=64x64 -c:v mjpeg -f asf pipe:1"
    done = subprocess.run(["ffmpeg", *film.split()], capture_output=True, check=True, timeout=60)
    with pytest.raises(CannotDecode):
        converted(done.stdout, "asf")


class Endless(io.RawIOBase):
    """Mu-law for ever, or for so many octets."""

    def __init__(self, most):
        self.left = most
        self.at = 0

    def read(self, size=-1):
        taken = min(size, self.left)
        self.left -= taken
        self.at += taken
        return bytes(taken)

    def tell(self):
        return self.at

    def seekable(self):
        return False


def test_too_long():
    """Audio beyond the limit is refused when the limit is reached, not when it is over."""
    endless = Endless(1 << 40)
    with pytest.raises(TooLong) as refused:
        Codec().convert([Sound(endless, "mu-law")], "g726", io.BytesIO(), most_seconds=60)
    assert refused.value.reply.enhanced == "5.3.4"
    assert endless.at < 1_000_000


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


class Counting:
    octets = 0

    def write(self, octets):
        self.octets += len(octets)


def test_an_hour_takes_no_more_memory_than_a_minute():
    """Memory stays flat over an hour of audio."""
    Codec().convert([Sound(Endless(480_000), "mu-law")], "g726", Counting(), most_seconds=3600)
    before, out = resident(), Counting()
    tracemalloc.start()
    seconds = Codec().convert([Sound(Endless(28_800_000), "mu-law")], "g726", out, most_seconds=3600)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (seconds, out.octets) == (3600.0, 14_400_000)
    assert peak < 1_000_000
    assert resident() - before < 8_000_000


def test_a_full_disk_is_no_bad_audio():
    """An error of the disk while reading or writing is that, and no judgement of the audio."""

    class Full(io.BytesIO):
        def write(self, octets):
            raise OSError(28, "No space left on device")

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="No space"):
        Codec().convert([Sound(io.BytesIO(MU_LAW_WAV), "wav")], "g726", Full(), most_seconds=60)
    with pytest.raises(OSError, match="Input/output"):
        Codec().convert([Sound(Broken(MU_LAW_WAV), "wav")], "g726", io.BytesIO(), most_seconds=60)


def test_reading_in_circles():
    """A damaged file that sends its reader back again and again is given up."""
    source = _Source(io.BytesIO(bytes(1000)), Effort(math.inf))
    with pytest.raises(ValueError):
        for _ in range(1 + (FREE_READING + READ_AGAIN * 1000) // 1000):
            assert source.seek(0) == 0
            source.read(1000)


def mutated(octets, seed):
    """A few octets changed, a piece cut out or doubled."""
    chance = random.Random(seed)
    changed = bytearray(octets)
    for _ in range(chance.randint(1, 20)):
        near = min(len(changed), 400) if chance.random() < 0.6 else len(changed)
        changed[chance.randrange(near)] = chance.randrange(256)
    at = chance.randrange(len(changed))
    if chance.random() < 0.3:
        del changed[at : at + chance.randrange(2000)]
    elif chance.random() < 0.2:
        changed[at:at] = changed[at : at + 500]
    return bytes(changed)


@pytest.mark.parametrize(("form", "muxer", "options"), [
    ("wav", "wav", "-c:a pcm_mulaw"), ("wav", "wav", "-c:a libgsm_ms"), ("wav", "wav", "-c:a adpcm_ms"),
    ("au", "au", ""), ("gsm", "gsm", ""), ("ogg", "ogg", "-c:a libvorbis"), ("mp3", "mp3", ""), ("asf", "asf", ""),
    ("aac", "adts", ""), ("mp4", "mp4", "-c:a aac -movflags frag_keyframe+empty_moov"),
])
def test_damaged_files(form, muxer, options):
    """Damaged recordings are heard as far as they go, or refused; nothing else happens."""
    needs("ffmpeg")
    octets = encoded_by_ffmpeg(REFERENCE[:16000], muxer, *options.split())
    assert octets
    for seed in range(40):
        try:
            converted(mutated(octets, f"{form}{seed}"), form, "g726", most_seconds=60)
        except (CannotDecode, TooLong):
            continue


@settings(max_examples=60)
@given(octets=st.binary(max_size=3000), form=st.sampled_from(sorted(FORMS)))
def test_any_octets(octets, form):
    """Any octets in any form are audio or refused."""
    try:
        found, seconds = converted(octets, form, "mu-law", most_seconds=60)
    except (CannotDecode, TooLong):
        return
    assert len(found) == round(seconds * 8000)


def box(kind, *content):
    octets = b"".join(content)
    return struct.pack(">I4s", 8 + len(octets), kind) + octets


def claiming(samples, *, tracks=1, fragment=0):
    """An MP4 of A-law, half a second long, whose index claims so many samples (or another in a fragment)."""

    def full(kind, *content):
        return box(kind, bytes(4), *content)

    entry = box(b"alaw", bytes(6), struct.pack(">H8xHHHHI", 1, 1, 16, 0, 0, 8000 << 16))
    table = box(
        b"stbl", full(b"stsd", struct.pack(">I", 1), entry), full(b"stts", struct.pack(">III", 1, samples, 2)),
        full(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)), full(b"stsz", struct.pack(">II", 1, samples)),
        full(b"stco", struct.pack(">II", 1, 32)),
    )
    media = box(
        b"mdia", full(b"mdhd", struct.pack(">IIIIHH", 0, 0, 8000, 8000, 0, 0)),
        full(b"hdlr", bytes(4), b"soun", bytes(13)), box(b"minf", full(b"smhd", bytes(4)), table),
    )
    all_tracks = [
        box(b"trak", full(b"tkhd", struct.pack(">IIIII", 0, 0, number, 0, 100), bytes(60)), media)
        for number in range(1, tracks + 1)
    ]
    extends = box(b"mvex", full(b"trex", struct.pack(">IIIII", 1, 1, 160, 1, 0)))
    movie = box(b"moov", full(b"mvhd", struct.pack(">IIII", 0, 0, 8000, 1000), bytes(80)), *all_tracks, extends)
    film = box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"mdat", b"\xd5" * 4000) + movie
    if fragment:
        run = box(b"traf", box(b"tfhd", struct.pack(">II", 0x020000, 1)), box(b"trun", struct.pack(">II", 0, fragment)))
        film += box(b"moof", full(b"mfhd", struct.pack(">I", 1)), run) + box(b"mdat", bytes(1000))
    return film


def test_an_honest_index():
    """The index that the next test exaggerates is one that is read."""
    assert converted(claiming(1000), "mp4", "g726")[1] == 0.125


@pytest.mark.parametrize("claim", [
    {"samples": 20_000_000}, {"samples": 1000, "fragment": 20_000_000}, {"samples": 600_000, "tracks": 200},
])
def test_an_index_that_claims_too_much(claim):
    """A few octets that speak of millions of samples get no memory for them: at most what honest files need."""
    octets = claiming(**claim)
    code = (
        "import io, resource, sys\nfrom unitymail.codec import Codec\n"
        "from unitymail.interfaces.codec import CannotDecode, Sound\n"
        "octets = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    Codec().convert([Sound(io.BytesIO(octets), 'mp4')], 'g726', io.BytesIO(), most_seconds=60)\n"
        "except CannotDecode:\n    pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=octets, capture_output=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert int(done.stdout) < 200_000  # KiB


def flood():
    """Twenty seconds of silence in eight channels at 384 kHz: 5 kB of FLAC."""
    made = "-loglevel error -f lavfi -i anullsrc=r=384000:cl=7.1 -t 20 -c:a flac -frame_size 65535 -f ogg pipe:1"
    return subprocess.run(["ffmpeg", *made.split()], capture_output=True, check=True, timeout=60).stdout


def test_more_work_than_a_recording_takes():
    """Audio that is made to keep a processor busy is refused when its time is over, and says so."""
    needs("ffmpeg")
    octets, began = flood(), time.thread_time()
    with pytest.raises(CannotDecode, match="work"):
        Codec().convert(
            [Sound(io.BytesIO(octets), "ogg")] * 100, "g726", io.BytesIO(), most_seconds=3600, until=began + 0.3
        )
    assert time.thread_time() - began < 1.0


def test_honest_work_is_not_counted():
    """An hour of what is dearest to decode stays far below the work that is allowed for it."""
    needs("ffmpeg")
    piece = encoded_by_ffmpeg(REFERENCE * 7, "mp4", "-c:a", "aac", "-ar", "48000", "-ac", "2", "-movflags",
                              "frag_keyframe+empty_moov")
    began = time.thread_time()
    assert converted(piece, "mp4", "g726")[1] > 20
    assert 180 * (time.thread_time() - began) < work_for(3600) / 2
