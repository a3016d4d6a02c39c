"""Prompts whose answers were recorded from both real servers (by record.py): refusals, and runs of many nodes."""

from typing import Any

Prompt = dict[str, Any]


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}


def empty(**changed: Any) -> dict[str, Any]:
    return node("EmptyImage", **{"width": 64, "height": 64, "batch_size": 1, "color": 0xFF8800} | changed)


def save(source: str = "1", slot: int = 0) -> dict[str, Any]:
    return node("SaveImage", images=[source, slot], filename_prefix="suite/x")


def _without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in names}


REFUSALS: dict[str, Prompt] = {
    "no nodes": {},
    "unknown class": {"1": node("NoSuchNode"), "2": save()},
    "no class_type": {"1": _without(empty(), "class_type"), "2": save()},
    "unknown class without title": {"1": {"class_type": "NoSuchNode", "inputs": {}}, "2": save()},
    "no inputs": {"1": _without(empty(), "inputs"), "2": save()},
    "not a number": {"1": empty(width="abc"), "2": save()},
    "too small": {"1": empty(width=0), "2": save()},
    "too big": {"1": empty(width=999999), "2": save()},
    "two mistakes": {"1": empty(width=0, height="x"), "2": save()},
    "required missing": {"1": {"class_type": "EmptyImage", "inputs": {"height": 64, "batch_size": 1, "color": 0}}, "2": save()},
    "link to nowhere": {"1": empty(), "2": save("77")},
    "inner link to nowhere": {"1": node("ImageInvert", image=["77", 0]), "2": save()},
    "no such slot": {"1": empty(), "2": save("1", 5)},
    "link of one": {"1": empty(), "2": node("SaveImage", images=["1"], filename_prefix="x")},
    "wrong type": {"1": empty(), "3": node("GetImageSize", image=["1", 0]), "2": save("3")},
    "no outputs": {"1": empty()},
    "cycle": {"1": node("ImageInvert", image=["2", 0]), "2": node("ImageInvert", image=["1", 0]), "3": save()},
    "missing image": {"1": node("LoadImage", image="nope.png"), "2": save()},
    "missing audio": {"1": node("LoadAudio", audio="nope.wav"), "2": node("PreviewAudio", audio=["1", 0])},
    "missing video": {
        "1": node("LoadVideo", file="nope.mp4"),
        "2": node("SaveVideo", video=["1", 0], filename_prefix="x", format="mp4", codec="h264"),
    },
    "not in list": {
        "1": empty(),
        "2": node("ImageScale", image=["1", 0], upscale_method="magic", width=8, height=8, crop="disabled"),
        "3": save("2"),
    },
    "not in list of a newer node": {
        "1": empty(),
        "2": node("ImageStitch", image1=["1", 0], image2=["1", 0], direction="up and away", match_image_size=True,
                  spacing_width=0, spacing_color="white"),
        "3": save("2"),
    },
    "int to string": {
        "1": node("PrimitiveInt", value=3),
        "2": node("StringConcatenate", string_a=["1", 0], string_b="x", delimiter=""),
        "3": node("PreviewAny", source=["2", 0]),
    },
    "string to combo": {
        "0": empty(),
        "1": node("PrimitiveString", value="center"),
        "2": node("ImageScale", image=["0", 0], upscale_method="area", width=8, height=8, crop=["1", 0]),
        "3": save("2"),
    },
    "string to newer combo": {
        "0": empty(),
        "1": node("PrimitiveString", value="multiply"),
        "2": node("ImageBlend", image1=["0", 0], image2=["0", 0], blend_factor=1, blend_mode=["1", 0]),
        "3": save("2"),
    },
    "nothing to show": {"1": node("PreviewAny")},
    "two outputs, both wrong": {"1": empty(width=0), "2": save(), "3": node("PreviewImage", images=["1", 0])},
    "batch of nothing": {"1": empty(), "2": node("BatchImagesNode"), "3": save("2")},
    "dynamic input missing": {
        "1": empty(),
        "2": node("ResizeImageMaskNode", input=["1", 0], resize_type="scale dimensions", scale_method="area",
                  **{"resize_type.width": 32}),
        "3": save("2"),
    },
}  # fmt: skip
"""Each is answered with a 400."""

BODIES: dict[str, bytes] = {
    "invalid JSON": b'{"prompt": ',
    "empty": b"",
    "a list": b"[]",
    "a string": b'"x"',
    "not UTF-8": b'{"prompt": "\xff"}',
    "no prompt": b"{}",
    "prompt null": b'{"prompt": null}',
    "prompt a string": b'{"prompt": "x"}',
    "prompt a list": b'{"prompt": []}',
    "UI format": b'{"prompt": {"nodes": [], "links": []}}',
    "number a word": b'{"prompt": {}, "number": "abc"}',
    "number null": b'{"prompt": {}, "number": null}',
}
"""Raw bodies of POST /prompt, answered with 400 or 500."""


def _picture(class_type: str, **inputs: Any) -> Prompt:
    """A node on a portrait, shown."""
    return {
        "1": node("LoadImage", image="portrait_a.png"),
        "2": node("ImageScale", image=["1", 0], upscale_method="area", width=128, height=96, crop="center"),
        "3": node(class_type, **inputs),
        "9": node("PreviewImage", images=["3", 0]),
    }


def _mask(class_type: str, **inputs: Any) -> Prompt:
    """A node on a mask, shown as a picture."""
    return {
        "1": node("LoadImage", image="sticker_rgba.png"),
        "2": node("LoadImageMask", image="sticker_rgba.png", channel="red"),
        "3": node(class_type, **inputs),
        "8": node("MaskToImage", mask=["3", 0]),
        "9": node("PreviewImage", images=["8", 0]),
    }


def _sound(class_type: str, **inputs: Any) -> Prompt:
    """A node on a voice, saved without loss."""
    return {
        "1": node("LoadAudio", audio="voice.wav"),
        "2": node("LoadAudio", audio="second_voice.mp3"),
        "3": node(class_type, **inputs),
        "9": node("SaveAudio", audio=["3", 0], filename_prefix="suite/sound"),
    }


def _text(class_type: str, **inputs: Any) -> Prompt:
    return {"1": node(class_type, **inputs), "2": node("PreviewAny", source=["1", 0])}


def _video(*, audio: Any = False, **inputs: Any) -> Prompt:
    more = {"audio": ["2", 0]} if audio else {}
    return {
        "1": node("LoadImage", image="portrait_b.jpg"),
        "2": node("LoadAudio", audio="voice.wav"),
        "3": node("RepeatImageBatch", image=["1", 0], amount=20),
        "4": node("CreateVideo", images=["3", 0], fps=10.0, **more),
        "9": node("SaveVideo", video=["4", 0], filename_prefix="suite/video", **inputs),
    }


_P = ["2", 0]
_S = ["1", 0]
_SIZED = {"width": 100, "height": 40}
_REGEX = {
    "string": "a1 b22 c333",
    "regex_pattern": r"([a-z])(\d+)",
    "case_insensitive": True,
    "multiline": False,
    "dotall": False,
}

RUNS: dict[str, Prompt] = {
    "scale disabled": _picture("ImageScale", image=_P, upscale_method="bicubic", crop="disabled", **_SIZED),
    "scale center": _picture("ImageScale", image=_P, upscale_method="lanczos", crop="center", **_SIZED),
    "scale to width": _picture("ImageScale", image=_P, upscale_method="bilinear", crop="center", width=64, height=0),
    "scale nearest": _picture("ImageScale", image=_P, upscale_method="nearest-exact", crop="disabled", width=300, height=200),
    "scale by": _picture("ImageScaleBy", image=_P, upscale_method="area", scale_by=0.33),
    "total pixels": _picture("ImageScaleToTotalPixels", image=_P, upscale_method="area", megapixels=0.05, resolution_steps=1),
    "max dimension": _picture("ImageScaleToMaxDimension", image=_P, upscale_method="area", largest_size=50),
    "resize and pad": _picture("ResizeAndPadImage", image=_P, target_width=90, target_height=90, padding_color="white", interpolation="area"),
    "crop": _picture("ImageCrop", image=_P, width=64, height=1000, x=20, y=10),
    "crop beyond": _picture("ImageCrop", image=_P, width=64, height=64, x=500, y=500),
    "flip x": _picture("ImageFlip", image=_P, flip_method="x-axis: vertically"),
    "flip y": _picture("ImageFlip", image=_P, flip_method="y-axis: horizontally"),
    "rotate 90": _picture("ImageRotate", image=_P, rotation="90 degrees"),
    "rotate 270": _picture("ImageRotate", image=_P, rotation="270 degrees"),
    "pad": _picture("ImagePadForOutpaint", image=_P, left=16, top=8, right=0, bottom=40, feathering=20),
    "stitch right": _picture("ImageStitch", image1=_P, image2=["1", 0], direction="right", match_image_size=True, spacing_width=7, spacing_color="red"),
    "stitch up unmatched": _picture("ImageStitch", image1=_P, image2=["1", 0], direction="up", match_image_size=False, spacing_width=0, spacing_color="white"),
    "stitch alone": _picture("ImageStitch", image1=_P, direction="right", match_image_size=True, spacing_width=0, spacing_color="white"),
    "blur": _picture("ImageBlur", image=_P, blur_radius=6, sigma=3.0),
    "sharpen": _picture("ImageSharpen", image=_P, sharpen_radius=2, sigma=1.0, alpha=0.5),
    "invert": _picture("ImageInvert", image=_P),
    **{
        f"blend {mode}": _picture("ImageBlend", image1=_P, image2=["1", 0], blend_factor=0.7, blend_mode=mode)
        for mode in ("normal", "multiply", "screen", "overlay", "soft_light", "difference")
    },
    "quantize": _picture("ImageQuantize", image=_P, colors=8, dither="floyd-steinberg"),
    "noise": _picture("ImageAddNoise", image=_P, seed=1, strength=0.1),
    "dilate": _picture("Morphology", image=_P, operation="dilate", kernel_size=5),
    "gradient": _picture("Morphology", image=_P, operation="gradient", kernel_size=3),
    "brightness": _picture("AdjustBrightness", images=_P, factor=1.3),
    "contrast": _picture("AdjustContrast", images=_P, factor=0.6),
    "center crop": _picture("CenterCropImages", images=_P, width=50, height=50),
    "longer edge": _picture("ResizeImagesByLongerEdge", images=_P, longer_edge=60),
    "resize by multiplier": _picture("ResizeImageMaskNode", input=_P, resize_type="scale by multiplier", scale_method="area", **{"resize_type.multiplier": 0.5}),
    "resize to height": _picture("ResizeImageMaskNode", input=_P, resize_type="scale height", scale_method="area", **{"resize_type.height": 50}),
    "resize to multiple": _picture("ResizeImageMaskNode", input=_P, resize_type="scale to multiple", scale_method="area", **{"resize_type.multiple": 30}),
    "grid": _picture("ImageGrid", images=_P, columns=2, cell_width=64, cell_height=64, padding=4),
    "alpha joined": _picture("JoinImageWithAlpha", image=_P, alpha=["1", 1]),
    "batch of two sizes": _picture("ImageBatch", image1=_P, image2=["1", 0]),
    "batch images": _picture("BatchImagesNode", **{"images.image0": _P, "images.image1": ["1", 0]}),
    "from batch beyond": {
        "1": empty(batch_size=8),
        "2": node("ImageFromBatch", image=["1", 0], batch_index=6, length=5),
        "9": node("PreviewImage", images=["2", 0]),
    },
    "rebatched": {
        "1": empty(batch_size=7),
        "2": node("RebatchImages", images=["1", 0], batch_size=3),
        "3": node("GetImageSize", image=["2", 0]),
        "8": node("PreviewAny", source=["3", 2]),
        "9": node("PreviewImage", images=["2", 0]),
    },
    "composite": {
        "1": node("LoadImage", image="portrait_a.png"),
        "2": node("LoadImage", image="sticker_rgba.png"),
        "3": node("InvertMask", mask=["2", 1]),
        "4": node("ImageCompositeMasked", destination=["1", 0], source=["2", 0], x=450, y=40, resize_source=False, mask=["3", 0]),
        "9": node("PreviewImage", images=["4", 0]),
    },
    "composite resized, no mask": {
        "1": node("LoadImage", image="portrait_b.jpg"),
        "2": node("LoadImage", image="style.png"),
        "4": node("ImageCompositeMasked", destination=["1", 0], source=["2", 0], x=0, y=200, resize_source=True),
        "9": node("PreviewImage", images=["4", 0]),
    },
    "mask of a picture without alpha": {
        "1": node("LoadImage", image="portrait_a.png"),
        "9": node("MaskPreview", mask=["1", 1]),
    },
    "mask of alpha": {"1": node("LoadImage", image="sticker_rgba.png"), "9": node("MaskPreview", mask=["1", 1])},
    "mask inverted": _mask("InvertMask", mask=["1", 1]),
    "mask solid": _mask("SolidMask", value=0.3, width=70, height=50),
    "mask cropped": _mask("CropMask", mask=["1", 1], x=20, y=30, width=40, height=500),
    **{
        f"mask {operation}": _mask("MaskComposite", destination=["1", 1], source=["2", 0], x=10, y=20, operation=operation)
        for operation in ("multiply", "add", "subtract", "and", "or", "xor")
    },
    "mask feathered": _mask("FeatherMask", mask=["2", 0], left=20, top=0, right=60, bottom=10),
    "mask grown": _mask("GrowMask", mask=["1", 1], expand=6, tapered_corners=False),
    "mask threshold": _mask("ThresholdMask", mask=["2", 0], value=0.5),
    "mask of red": _mask("ImageToMask", image=["1", 0], channel="green"),
    "mask of a colour": _mask("ImageColorToMask", image=["1", 0], color=0xFFFFFF),
    "alpha channel missing": _mask("ImageToMask", image=["1", 0], channel="alpha"),
    "sound trimmed": _sound("TrimAudioDuration", audio=_S, start_index=0.5, duration=0.7),
    "sound from the end": _sound("TrimAudioDuration", audio=_S, start_index=-0.5, duration=5),
    "sound trimmed to nothing": _sound("TrimAudioDuration", audio=_S, start_index=0.5, duration=0),
    "sound before": _sound("AudioConcat", audio1=_S, audio2=_P, direction="before"),
    **{
        f"sounds {method}": _sound("AudioMerge", audio1=_S, audio2=_P, merge_method=method)
        for method in ("add", "mean", "subtract")
    },
    "louder": _sound("AudioAdjustVolume", audio=_P, volume=6),
    "quieter": _sound("AudioAdjustVolume", audio=_P, volume=-12),
    "silence": _sound("EmptyAudio", duration=1.5, sample_rate=22050, channels=1),
    "left of mono": _sound("SplitAudioChannels", audio=_S),
    "left of stereo": _sound("SplitAudioChannels", audio=_P),
    "opus": {"1": node("LoadAudio", audio="second_voice.mp3"), "9": node("SaveAudioOpus", audio=["1", 0], filename_prefix="suite/o", quality="96k")},
    "sound of a video": {"1": node("LoadAudio", audio="clip.mp4"), "9": node("PreviewAudio", audio=["1", 0])},
    "video": _video(format="mp4", codec="h264"),
    "video with sound": _video(audio=True, format="auto", codec="auto"),
    "video new spelling": _video(format="mp4", **{"format.codec": "h264"}),
    "video mkv": _video(audio=True, format="mkv", codec="h264"),
    "video webm h264": _video(format="webm", codec="h264"),
    "video bogus format": _video(format="bogus", codec="h264"),
    "video bogus codec": _video(format="mp4", codec="bogus"),
    "video file saved again": {
        "1": node("LoadVideo", file="clip.mp4"),
        "9": node("SaveVideo", video=["1", 0], filename_prefix="suite/again", format="auto", codec="auto"),
    },
    "video components": {
        "1": node("LoadVideo", file="clip.mp4"),
        "2": node("GetVideoComponents", video=["1", 0]),
        "3": node("PreviewAudio", audio=["2", 1]),
        "4": node("PreviewAny", source=["2", 2]),
        "5": node("ImageFromBatch", image=["2", 0], batch_index=47, length=5),
        "6": node("PreviewImage", images=["5", 0]),
    },
    "video slice": {
        "1": node("LoadVideo", file="clip.mp4"),
        "2": node("Video Slice", video=["1", 0], start_time=0.5, duration=1.0, strict_duration=False),
        "3": node("GetVideoComponents", video=["2", 0]),
        "4": node("CreateVideo", images=["3", 0], audio=["3", 1], fps=["3", 2]),
        "9": node("SaveVideo", video=["4", 0], filename_prefix="suite/slice", format="mp4", codec="h264"),
    },
    "odd size": {
        "1": empty(width=65, height=63, batch_size=2),
        "2": node("CreateVideo", images=["1", 0], fps=4.0),
        "9": node("SaveVideo", video=["2", 0], filename_prefix="suite/odd", format="mp4", codec="h264"),
    },
    "no image": {"1": node("LoadImage", image="caption_seed.txt"), "9": node("PreviewImage", images=["1", 0])},
    "outside output": {"1": empty(), "9": node("SaveImage", images=["1", 0], filename_prefix="../../x")},
    "prefix with words": {"1": empty(), "9": node("SaveImage", images=["1", 0], filename_prefix="suite/ä b/%width%x%height%")},
    "webp": {"1": empty(batch_size=3), "9": node("SaveAnimatedWEBP", images=["1", 0], filename_prefix="suite/w", fps=8.0, lossless=True, quality=80, method="default")},
    "apng": {"1": empty(batch_size=3), "9": node("SaveAnimatedPNG", images=["1", 0], filename_prefix="suite/a", fps=8.0, compress_level=4)},
    "latents": {
        "1": node("EmptyLatentImage", width=64, height=96, batch_size=2),
        "2": node("RepeatLatentBatch", samples=["1", 0], amount=3),
        "3": node("LatentFromBatch", samples=["2", 0], batch_index=1, length=2),
        "9": node("SaveLatent", samples=["3", 0], filename_prefix="suite/l"),
    },
    "concatenate": _text("StringConcatenate", string_a="a", string_b="b\n", delimiter=" – "),
    "substring": _text("StringSubstring", string="héllo wörld", start=-5, end=-1),
    "length": _text("StringLength", string="héllo"),
    **{f"case {mode}": _text("CaseConverter", string="the qUick fox", mode=mode) for mode in ("UPPERCASE", "lowercase", "Capitalize", "Title Case")},
    **{f"trim {mode}": _text("StringTrim", string="  x y \n", mode=mode) for mode in ("Both", "Left", "Right")},
    "replace": _text("StringReplace", string="a.b.c", find=".", replace="\\1"),
    "contains": _text("StringContains", string="Hello", substring="hell", case_sensitive=False),
    "compare": _text("StringCompare", string_a="Hello", string_b="lo", mode="Ends With", case_sensitive=True),
    "regex match": _text("RegexMatch", **_REGEX),
    **{f"regex {mode}": _text("RegexExtract", mode=mode, group_index=2, **_REGEX) for mode in ("First Match", "All Matches", "First Group", "All Groups")},
    "regex replace": _text("RegexReplace", replace=r"\2\1", count=2, **_REGEX),
    "regex broken": _text("RegexMatch", **_REGEX | {"regex_pattern": "("}),
    "primitive int": _text("PrimitiveInt", value="7"),
    "primitive float": _text("PrimitiveFloat", value=1),
    "primitive boolean": _text("PrimitiveBoolean", value="false"),
    "any text": {"1": node("PreviewAny", source="<b>&amp;\u0000 {{x}} \U0001f600")},
    "save text": {"1": node("PrimitiveString", value="söme"), "9": node("SaveText", text=["1", 0], filename_prefix="suite/t", format="md")},
    "switch": {
        "1": node("PrimitiveString", value="yes"),
        "2": node("PrimitiveString", value="no"),
        "3": node("ComfySwitchNode", switch=True, on_false=["2", 0], on_true=["1", 0]),
        "9": node("PreviewAny", source=["3", 0]),
    },
    "format": _text("StringFormat", f_string="{a} + {b}", **{"values.a": "x", "values.b": 2}),
    "extra input ignored": {"1": empty(nonsense=3), "9": node("PreviewImage", images=["1", 0])},
    "number as text": {"1": empty(width="32"), "9": node("PreviewImage", images=["1", 0])},
    "wrapped value": _text("PrimitiveString", value={"__value__": ["a", 0]}),
    "one output of two": {"1": empty(), "2": node("PreviewImage", images=["1", 0]), "3": node("LoadImage", image="nope.png"), "4": save("3")},
}  # fmt: skip
"""Each is run; a class one version lacks is a recorded refusal there."""

for _name, _prompt in list(RUNS.items()):
    # A test of its own file names would otherwise meet the results another case left in the cache.
    RUNS[_name] = {key: {**value, "_meta": {"title": _name}} for key, value in _prompt.items()}
