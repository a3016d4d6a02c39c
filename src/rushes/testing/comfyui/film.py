"""Video in and out of files, by FFmpeg."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from rushes.testing.comfyui.media import Images, Sound
from rushes.testing.comfyui.sound_files import add_sound, encode_sound, read_sound

_ENCODERS = {"h264": "libx264", "av1": "libsvtav1", "vp9": "libvpx-vp9"}


@dataclass(frozen=True)
class Film:
    """Frames with a rate, and perhaps sound; what a VIDEO link carries."""

    frames: Images
    rate: Fraction
    sound: Sound | None = None

    @property
    def seconds(self) -> float:
        return float(len(self.frames) / self.rate)

    def cut(self, start: float, seconds: float) -> "Film":
        """From start (negative: from the end) for so many seconds, 0 for all that is left."""
        start = start if start >= 0 else max(0.0, self.seconds + start)
        first = math.ceil(round(start * self.rate, 6))
        last = len(self.frames) if seconds == 0 else min(len(self.frames), first + round(seconds * self.rate))
        return Film(self.frames[first:last], self.rate, self._sound_from(start, (last - first) / self.rate))

    def _sound_from(self, start: float, seconds: float | Fraction) -> Sound | None:
        if self.sound is None:
            return None
        begin = round(start * self.sound.rate)
        return self.sound.cut(begin, begin + math.ceil(seconds * self.sound.rate))


@dataclass(frozen=True)
class FilmFile:
    """A video file, opened when its frames are wanted; saved as it is where the container allows."""

    path: Path

    def load(self) -> Film:
        """All frames and sound; raises av errors for what is no video."""
        frames: list[Image.Image] = []
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            rate = Fraction(stream.average_rate or 1)
            frames.extend(_picture(frame) for frame in container.decode(stream))
        return Film(tuple(frames), rate, read_sound(self.path))

    def codec(self) -> str:
        """FFmpeg's name of the video's codec."""
        with av.open(str(self.path)) as container:
            return container.streams.video[0].codec_context.name


Video = Film | FilmFile


def loaded(video: Video) -> Film:
    """The film itself, read from its file where need be."""
    return video.load() if isinstance(video, FilmFile) else video


def write_film(path: Path, film: Film, codec: str, texts: Mapping[str, str], *, keeps_mono: bool) -> None:
    """Encode to mp4, mkv or webm (by the path's ending) with tags; sound beyond the last frame is cut off."""
    options = {"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(texts)
        rate = Fraction(round(film.rate * 1000), 1000)
        stream = _add_film(container, codec, rate, film.frames[0].size)
        sound = _fitting_sound(film, rate, keeps_mono)
        voice = add_sound(container, "libopus" if path.suffix == ".webm" else "aac", sound) if sound else None
        encode_frames(container, stream, film.frames)
        if sound is not None and voice is not None:
            encode_sound(container, voice, sound)


def _fitting_sound(film: Film, rate: Fraction, keeps_mono: bool) -> Sound | None:
    if film.sound is None or not film.sound.samples:
        return None
    sound = film.sound.cut(0, math.ceil(film.sound.rate / rate * len(film.frames)))
    # The old version leaves mono to FFmpeg, which spreads it over two channels at equal power.
    return sound if keeps_mono or len(sound.channels) > 1 else sound.widened(2).louder(math.sqrt(0.5))


def _add_film(container: OutputContainer, codec: str, rate: Fraction, size: tuple[int, int]) -> VideoStream:
    stream = container.add_stream(_ENCODERS[codec], rate=rate)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    return stream


def encode_frames(container: OutputContainer, stream: VideoStream, frames: Iterable[Image.Image]) -> None:
    """Encode pictures one after another and flush; one that repeats is converted once."""
    previous: Image.Image | None = None
    frame: VideoFrame | None = None
    for number, image in enumerate(frames):
        if frame is None or image is not previous:
            frame = _av_frame(image).reformat(format=stream.pix_fmt)
            previous = image
        frame.pts = number
        frame.time_base = 1 / Fraction(stream.codec_context.framerate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _picture(frame: VideoFrame) -> Image.Image:
    image = frame.to_image()  # type: ignore[no-untyped-call]  # PyAV's stub names no types here
    assert isinstance(image, Image.Image)
    return image


def _av_frame(image: Image.Image) -> VideoFrame:
    frame = VideoFrame.from_image(image.convert("RGB"))  # type: ignore[no-untyped-call]  # as above
    assert isinstance(frame, VideoFrame)
    return frame


def copy_film(source: Path, target: Path, texts: Mapping[str, str]) -> None:
    """Repack the streams of a file into another container without encoding, with our tags."""
    with (
        av.open(str(source)) as given,
        av.open(
            str(target), "w", options={"movflags": "use_metadata_tags"} if target.suffix == ".mp4" else {}
        ) as container,
    ):
        container.metadata.update(texts)
        kept = [stream for stream in given.streams if stream.type in ("video", "audio")]
        streams = {stream.index: container.add_stream_from_template(stream) for stream in kept}
        for packet in given.demux(kept):
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)


def write_webm(
    path: Path, frames: Images, rate: Fraction, codec: str, crf: float, texts: Mapping[str, str]
) -> None:
    """Frames alone as WEBM with vp9 or av1 at that constant quality."""
    with av.open(str(path), "w") as container:
        container.metadata.update(texts)
        stream = _add_film(container, codec, rate, frames[0].size)
        stream.bit_rate = 0
        speed = {"preset": "8"} if codec == "av1" else {"deadline": "realtime", "cpu-used": "6"}
        stream.options = {"crf": str(int(crf)), **speed}
        encode_frames(container, stream, frames)
