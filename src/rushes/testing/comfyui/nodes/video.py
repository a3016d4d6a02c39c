"""Nodes on video."""

from fractions import Fraction

from rushes.testing.comfyui.film import (
    Film,
    FilmFile,
    Video,
    copy_film,
    loaded,
    write_film,
    write_webm,
)
from rushes.testing.comfyui.media import Images, Sound
from rushes.testing.comfyui.nodes.registry import NodeRun, Result, Shown, node
from rushes.testing.comfyui.nodes.saving import notes


@node("LoadVideo", file_input="file", file_word="video")
def load_video(run: NodeRun, file: str) -> Result:
    return (FilmFile(run.folders.annotated(file)),)


@node("GetVideoComponents")
def get_video_components(_: NodeRun, video: Video) -> Result:
    film = loaded(video)
    return film.frames, film.sound, float(film.rate), 8, "sRGB"


@node("CreateVideo")
def create_video(
    _: NodeRun, images: Images, fps: float, audio: Sound | None = None, **_inputs: object
) -> Result:
    return (Film(images, Fraction(fps), audio),)


@node("Video Slice")
def slice_video(
    _: NodeRun, video: Video, start_time: float, duration: float, strict_duration: bool
) -> Result:
    film = loaded(video).cut(start_time, duration)
    if not film.frames or (strict_duration and film.seconds + 1 / film.rate < duration):
        raise ValueError(
            f"Failed to slice video:\nSource duration: {loaded(video).seconds}\n"
            f"Start time: {start_time}\nTarget duration: {duration}"
        )
    return (film,)


@node("SaveVideo")
def save_video(
    run: NodeRun,
    video: Video,
    filename_prefix: str,
    format: str,
    codec: str = "auto",
    format__codec: str = "auto",
    **_: object,
) -> Result:
    wanted = format__codec if format__codec != "auto" else codec
    _check_format(run, format, wanted)
    ending = "mp4" if format == "auto" else format
    size = (0, 0) if isinstance(video, FilmFile) else video.frames[0].size
    place = run.folders.save_path(filename_prefix, size=size)
    name = place.name(f"_.{ending}")
    target = place.folder / name
    if isinstance(video, FilmFile) and ending == "mp4" and wanted in ("auto", video.codec()):
        copy_film(video.path, target, notes(run))
    else:
        default = "av1" if ending == "webm" else "h264"
        chosen = default if wanted == "auto" else wanted
        write_film(target, loaded(video), chosen, notes(run), keeps_mono=run.generation.keeps_mono)
    saved = {"filename": name, "subfolder": place.subfolder, "type": "output"}
    return Shown({"images": [saved], "animated": [True]}, (video,))


def _check_format(run: NodeRun, format: str, codec: str) -> None:
    if not run.generation.newer_nodes:
        if format not in ("auto", "mp4"):
            raise ValueError(f"'{format}' is not a valid VideoContainer")
        if codec not in ("auto", "h264"):
            raise ValueError("Only H264 codec is supported for now")
    if format == "webm" and codec == "h264":
        raise ValueError("WebM output requires the AV1 codec")


@node("SaveWEBM")
def save_webm(
    run: NodeRun, images: Images, filename_prefix: str, codec: str, fps: float, crf: float
) -> Result:
    place = run.folders.save_path(filename_prefix, size=images[0].size)
    name = place.name("_.webm")
    rate = Fraction(round(fps * 1000), 1000)
    write_webm(place.folder / name, images, rate, codec, crf, notes(run))
    saved = {"filename": name, "subfolder": place.subfolder, "type": "output"}
    return Shown({"images": [saved], "animated": [True]}, (images,))
