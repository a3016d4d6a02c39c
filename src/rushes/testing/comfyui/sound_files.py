"""Sound in and out of files, by FFmpeg."""

from array import array
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

from rushes.testing.comfyui.media import Sound

_CHUNK = 8192
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)


def layout_name(channels: int) -> str:
    """FFmpeg's name for that many channels."""
    return _LAYOUTS.get(channels, "stereo")


def read_sound(path: Path, start: float = 0.0, seconds: float | None = None) -> Sound | None:
    """The first audio stream as floats, None where the file has none; raises av errors for what is no media."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        resampler = AudioResampler(format="fltp", layout=stream.layout.name, rate=stream.rate)
        channels: tuple[array[float], ...] = tuple(array("f") for _ in range(stream.channels))
        for frame in container.decode(stream):
            for part in resampler.resample(frame):
                _take(part, channels)
        for part in resampler.resample(None):
            _take(part, channels)
        sound = Sound(stream.rate, channels)
    first = round(start * sound.rate)
    last = sound.samples if seconds is None else first + round(seconds * sound.rate)
    return sound.cut(first, last) if first or last < sound.samples else sound


def _take(frame: AudioFrame, channels: tuple["array[float]", ...]) -> None:
    for channel, plane in zip(channels, frame.planes, strict=True):
        channel.frombytes(bytes(plane)[: 4 * frame.samples])


def frames_of(sound: Sound) -> Iterator[AudioFrame]:
    """The samples as FFmpeg frames with time stamps."""
    layout = layout_name(len(sound.channels))
    for at in range(0, sound.samples, _CHUNK):
        count = min(_CHUNK, sound.samples - at)
        frame = AudioFrame(format="fltp", layout=layout, samples=count)
        for plane, channel in zip(frame.planes, sound.channels, strict=True):
            chunk = channel[at : at + count].tobytes()
            plane.update(chunk + bytes(plane.buffer_size - len(chunk)))
        frame.sample_rate = sound.rate
        frame.time_base = Fraction(1, sound.rate)
        frame.pts = at
        yield frame


def resampled(sound: Sound, rate: int) -> Sound:
    """The same sound at another rate in Hz."""
    if sound.rate == rate or not sound.samples:
        return Sound(rate, sound.channels)
    layout = layout_name(len(sound.channels))
    resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
    channels: tuple[array[float], ...] = tuple(array("f") for _ in sound.channels)
    for frame in frames_of(sound):
        for part in resampler.resample(frame):
            _take(part, channels)
    for part in resampler.resample(None):
        _take(part, channels)
    return Sound(rate, channels)


def write_sound(path: Path, sound: Sound, kind: str, quality: str, texts: Mapping[str, str]) -> None:
    """Save as flac, mp3 or opus with texts as tags; quality is V0 or like 128k."""
    codec = {"flac": "flac", "mp3": "libmp3lame", "opus": "libopus"}[kind]
    if kind == "opus" and sound.rate not in _OPUS_RATES:
        sound = resampled(sound, next((rate for rate in _OPUS_RATES if rate > sound.rate), 48000))
    with path.open("wb") as file, av.open(file, "w", format=kind) as container:
        container.metadata.update(texts)
        stream = add_sound(container, codec, sound)
        if kind != "flac":
            stream.bit_rate = 245_000 if quality == "V0" else 1000 * int(quality.rstrip("k"))
        encode_sound(container, stream, sound)


def add_sound(container: OutputContainer, codec: str, sound: Sound) -> AudioStream:
    """An audio stream that fits the sound."""
    layout = layout_name(len(sound.channels))
    stream = container.add_stream(codec, rate=sound.rate, layout=layout)
    assert isinstance(stream, AudioStream)
    return stream


def encode_sound(container: OutputContainer, stream: AudioStream, sound: Sound) -> None:
    """Encode all of it and flush."""
    for frame in frames_of(sound):
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
