"""Nodes on sound."""

from array import array
from collections.abc import Callable
from typing import Any

from rushes.testing.comfyui.media import Sound, silence
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, Shown, node
from rushes.testing.comfyui.nodes.saving import notes
from rushes.testing.comfyui.sound_files import read_sound, resampled, write_sound


@node("LoadAudio", file_input="audio", file_word="audio")
def load_audio(run: NodeRun, audio: str) -> Result:
    sound = read_sound(run.folders.annotated(audio))
    if sound is None:
        raise ValueError("No audio stream found in the file.")
    return (sound,)


@node("EmptyAudio")
def empty_audio(_: NodeRun, duration: float, sample_rate: int, channels: int) -> Result:
    return (silence(duration, sample_rate, channels),)


@node("TrimAudioDuration")
def trim_audio(run: NodeRun, audio: Sound, start_index: float, duration: float) -> Result:
    begin = start_index if start_index >= 0 else audio.seconds + start_index
    clamps = not run.generation.newer_nodes
    start = max(0, round(begin * audio.rate))
    start = min(start, audio.samples - 1) if clamps else start
    end = min(start + round(duration * audio.rate), audio.samples)
    if start >= end:
        name = "AudioTrim" if clamps else "TrimAudioDuration"
        raise ValueError(f"{name}: Start time must be less than end time and be within the audio length.")
    return (audio.cut(start, end),)


@node("AudioConcat")
def concat_audio(_: NodeRun, audio1: Sound, audio2: Sound, direction: str) -> Result:
    one, other = _alike(audio1, audio2)
    if direction == "before":
        one, other = other, one
    joined = tuple(first + second for first, second in zip(one.channels, other.channels, strict=True))
    return (Sound(one.rate, joined),)


def _alike(one: Sound, other: Sound) -> tuple[Sound, Sound]:
    rate = max(one.rate, other.rate)
    return resampled(one.widened(2), rate), resampled(other.widened(2), rate)


_MERGES: dict[str, Callable[[float, float], float]] = {
    "add": lambda one, other: one + other,
    "mean": lambda one, other: (one + other) / 2,
    "subtract": lambda one, other: one - other,
    "multiply": lambda one, other: one * other,
}


@node("AudioMerge")
def merge_audio(_: NodeRun, audio1: Sound, audio2: Sound, merge_method: str) -> Result:
    one, other = _alike(audio1, audio2)
    other = Sound(other.rate, tuple(_of_length(channel, one.samples) for channel in other.channels))
    merge = _MERGES[merge_method]
    channels = [
        array("f", map(merge, first, second))
        for first, second in zip(one.channels, other.channels, strict=True)
    ]
    peak = max((max(map(abs, channel), default=0.0) for channel in channels), default=0.0)
    return (Sound(one.rate, tuple(channels)).louder(1 / peak if peak > 1 else 1.0),)


def _of_length(channel: "array[float]", length: int) -> "array[float]":
    return channel[:length] + array("f", bytes(4 * max(0, length - len(channel))))


@node("AudioAdjustVolume")
def adjust_volume(_: NodeRun, audio: Sound, volume: int) -> Result:
    return (audio.louder(10 ** (volume / 20)),)


@node("SplitAudioChannels")
def split_channels(run: NodeRun, audio: Sound) -> Result:
    if len(audio.channels) != 2:
        newer = f"must be stereo (2 channels), got {len(audio.channels)} channel(s)."
        trouble = newer if run.generation.newer_nodes else "has only one channel."
        raise ValueError(f"AudioSplit: Input audio {trouble}")
    left, right = (Sound(audio.rate, (channel,)) for channel in audio.channels)
    return left, right


@node("JoinAudioChannels")
def join_channels(_: NodeRun, audio_left: Sound, audio_right: Sound) -> Result:
    rate = max(audio_left.rate, audio_right.rate)
    left, right = resampled(audio_left, rate).channels[0], resampled(audio_right, rate).channels[0]
    length = min(len(left), len(right))
    return (Sound(rate, (left[:length], right[:length])),)


@node("SaveAudio")
def save_audio(run: NodeRun, audio: Sound, filename_prefix: str) -> Result:
    return _saved(run, audio, filename_prefix, "flac")


@node("SaveAudioMP3")
def save_audio_mp3(run: NodeRun, audio: Sound, filename_prefix: str, quality: str = "V0") -> Result:
    return _saved(run, audio, filename_prefix, "mp3", quality)


@node("SaveAudioOpus")
def save_audio_opus(run: NodeRun, audio: Sound, filename_prefix: str, quality: str = "128k") -> Result:
    return _saved(run, audio, filename_prefix, "opus", quality)


@node("SaveAudioAdvanced")
def save_audio_advanced(
    run: NodeRun, audio: Sound, filename_prefix: str, format: str, format__quality: str = "128k"
) -> Result:
    return _saved(run, audio, filename_prefix, format, format__quality)


@node("PreviewAudio")
def preview_audio(run: NodeRun, audio: Sound) -> Result:
    return _saved(run, audio, run.temp_prefix(), "flac", kind="temp")


def _saved(
    run: NodeRun, audio: Sound | None, prefix: str, form: str, quality: str = "V0", kind: str = "output"
) -> Result:
    if audio is None:
        raise TypeError("'NoneType' object is not subscriptable")
    place = run.folders.save_path(prefix, kind=kind)
    name = place.name(f"_.{form}" if run.generation.trailing_underscore_everywhere else f".{form}")
    write_sound(place.folder / name, audio, form, quality, notes(run))
    saved: dict[str, Any] = {"filename": name, "subfolder": place.subfolder, "type": kind}
    return Shown({"audio": [saved]}, (audio,))
