"""Video and audio by PyAV: length, size, rate, poster. Runs in worker processes only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from rushes.adapters.media.problem import Unreadable

MAX_FRAME_PIXELS = 64_000_000  # 8K is 33 million
POSTER_SIDE = 1280
_DEMUXERS = {
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "audio/mp4": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
    "video/ogg": "ogg",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/flac": "flac",
}
_UNTRUSTED_LENGTH = {"audio/mpeg", "audio/aac", "audio/flac"}  # estimated, or absent, in the header
_POSTER_AT = (0.0, 0.05, 0.15, 0.35)  # of the length; the first frame that shows something wins
_POSTER_LATEST_SECONDS = 10.0
_ENOUGH_CONTRAST = 12.0  # standard deviation of luminance
_FRAMES_PER_TRY = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What a container holds; video fields are None for sound alone."""

    duration_seconds: float
    width: int | None = None
    height: int | None = None
    fps: float | None = None


def measure(path: Path, content_type: str) -> Timeline:
    """Length and, for video, the size as shown, after decoding one frame. Raises Unreadable."""
    with _opened(path, content_type) as container:
        video = _picture_track(container)
        if video is None:
            return Timeline(duration_seconds=_sound_length(container, path, content_type))
        frame = next(container.decode(video), None)
        if frame is None:
            raise Unreadable("The video holds no frame.")
        width, height = _shown_size(frame, video)
        rate = video.average_rate or video.guessed_rate
        return Timeline(
            duration_seconds=_length(container, video) or _scanned_length(path, content_type),
            width=width,
            height=height,
            fps=round(float(rate), 3) if rate else None,
        )


def poster(path: Path, content_type: str) -> Image.Image:
    """An early frame that shows something, upright, at most 1280 px. Raises Unreadable."""
    with _opened(path, content_type) as container:
        video = _picture_track(container)
        if video is None:
            raise Unreadable("There is no picture in it.")
        length = min(_length(container, video) or 0.0, _POSTER_LATEST_SECONDS / _POSTER_AT[-1])
        best: tuple[float, VideoFrame] | None = None
        for share in _POSTER_AT if length else (0.0,):
            frame = _frame_at(container, video, share * length)
            contrast = _contrast(frame) if frame else -1.0
            if frame and (best is None or contrast > best[0]):
                best = contrast, frame
            if contrast >= _ENOUGH_CONTRAST:
                break
        if best is None:
            raise Unreadable("The video holds no frame.")
        return _upright(best[1], video)


@contextmanager
def _opened(path: Path, content_type: str) -> Iterator[InputContainer]:
    demuxer = _DEMUXERS.get(content_type)
    if demuxer is None:
        raise Unreadable(f"{content_type} can't be looked into; the file itself is stored.")
    try:
        # A forced demuxer and protocol: a playlist or a reference inside a file must never open another one.
        with av.open(
            f"file:{path}", format=demuxer, options={"protocol_whitelist": "file"}, metadata_errors="replace"
        ) as container:
            yield container
    except (av.FFmpegError, EOFError, ValueError, ArithmeticError) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unreadable(f"The file is damaged or not {content_type}: {words}") from error
    except MemoryError as error:
        raise Unreadable("The video needs more memory than a preview may use.") from error


def _picture_track(container: InputContainer) -> VideoStream | None:
    for stream in container.streams.video:
        if av.stream.Disposition.attached_pic in stream.disposition:
            continue  # an album's cover
        context = stream.codec_context
        if context is None:  # whatever PyAV's stub says: an unknown codec has none
            raise Unreadable("The video's codec is not known here.")
        if context.width * context.height > MAX_FRAME_PIXELS:
            raise Unreadable(f"{context.width} × {context.height}: frames this large are not opened.")
        context.thread_count = 1
        return stream
    return None


def _shown_size(frame: VideoFrame, video: VideoStream) -> tuple[int, int]:
    ratio = video.sample_aspect_ratio
    width = round(frame.width * float(ratio)) if ratio else frame.width
    return (frame.height, width) if frame.rotation % 180 == 90 else (width, frame.height)


def _length(container: InputContainer, stream: Stream) -> float:
    if container.duration and container.duration > 0:
        return container.duration / av.time_base
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0


def _sound_length(container: InputContainer, path: Path, content_type: str) -> float:
    if not container.streams.audio:
        raise Unreadable("The file holds neither picture nor sound.")
    sound = container.streams.audio[0]
    if next(container.decode(sound), None) is None:
        raise Unreadable("The file holds no sound.")
    known = 0.0 if content_type in _UNTRUSTED_LENGTH else _length(container, sound)
    return known or _scanned_length(path, content_type)


def _scanned_length(path: Path, content_type: str) -> float:
    """The end of the last packet, less the start of the first: no decoding."""
    first, last = None, 0.0
    with _opened(path, content_type) as container:
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            begin = float(packet.pts * packet.time_base)
            first = begin if first is None else min(first, begin)
            last = max(last, begin + float((packet.duration or 0) * packet.time_base))
    return last - (first or 0.0)


def _frame_at(container: InputContainer, video: VideoStream, seconds: float) -> VideoFrame | None:
    start = (container.start_time or 0) / av.time_base
    try:
        if seconds:
            container.seek(int((start + seconds) * av.time_base))
        frame = None
        for count, frame in enumerate(container.decode(video)):
            if count >= _FRAMES_PER_TRY or frame.time is None or frame.time >= start + seconds:
                break
    except av.FFmpegError:
        if seconds:  # a later frame is a nicety
            return None
        raise
    return frame


def _contrast(frame: VideoFrame) -> float:
    return ImageStat.Stat(_image(frame, 64, 64).convert("L")).stddev[0]


def _upright(frame: VideoFrame, video: VideoStream) -> Image.Image:
    ratio = float(video.sample_aspect_ratio or 1)
    width, height = frame.width * ratio, frame.height
    scale = min(1.0, POSTER_SIDE / max(width, height))
    image = _image(frame, max(1, round(width * scale)), max(1, round(height * scale)))
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def _image(frame: VideoFrame, width: int, height: int) -> Image.Image:
    image: Image.Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]  # PyAV's stub
    return image
