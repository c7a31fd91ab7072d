"""Folders of images and sounds; subfolders are classes, numbered in the order of their names."""

import dataclasses
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.inputs.data_set import ONLY
from weighbridge.measure.inputs.sources.rows import SourceRows

LAYOUTS = ("nchw", "nhwc")
IMAGES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"))
# More pixels than a photo has; Pillow warns from here on of files made to exhaust memory.
MAX_PIXELS = 100_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """How an image becomes an array of floats.

    `size` is (height, width), None for the size of each image. Pixels are divided by 255; then `mean` is subtracted,
    and the rest divided by `deviation`, one number or one for each channel. `layout` is nchw (channels first) or nhwc;
    `is_gray` makes one channel of three.
    """

    size: tuple[int, int] | None = None
    layout: str = "nchw"
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    is_gray: bool = False

    def __post_init__(self) -> None:
        """Raise Invalid for another layout, sizes below one pixel, and deviations of zero."""
        if self.layout not in LAYOUTS:
            raise Invalid(f"The layout of images is {' or '.join(LAYOUTS)}, not {self.layout!r}.", field="layout")
        if self.size is not None and min(self.size) < 1:
            raise Invalid("Images need a size of at least one pixel.", field="resize")
        if any(each <= 0 for each in self.deviation):
            raise Invalid("The deviation of a channel must be above zero.", field="deviation")
        if not {len(self.mean), len(self.deviation)} <= {1, 1 if self.is_gray else 3}:
            text = "Give one mean and one deviation, or one for each of the three channels of a color image."
            raise Invalid(text, field="mean")


def read_folder(folder: Path, options: ImageOptions) -> SourceRows:
    """Read all images, or all `.wav` files, of a folder and its subfolders; raise Invalid, and ExtraMissing.

    Sounds are the samples of 16 bits, divided by 32,768, with their channels averaged.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    read: Callable[[Path], NDArray[np.float32]]
    images = [path for path in files if path.suffix.lower() in IMAGES]
    if images:
        read, chosen = _image_reader(options), images
    else:
        read, chosen = _read_sound, [path for path in files if path.suffix.lower() == ".wav"]
    if not chosen:
        text = f"{folder.name} has no images ({', '.join(sorted(IMAGES))}) and no .wav files."
        raise Invalid(text, code="data_empty", field="data")
    return SourceRows({ONLY: [read(path) for path in chosen]}, _classes(folder, chosen))


def _classes(folder: Path, files: list[Path]) -> list[int] | None:
    """Return the number of the subfolder of each file; None without subfolders; raise Invalid for both."""
    names = [path.relative_to(folder).parts[0] if path.parent != folder else None for path in files]
    if not any(names):
        return None
    if not all(names):
        text = f"{folder.name} has files beside its subfolders; put each file into the subfolder of its class."
        raise Invalid(text, code="data_form", field="data")
    numbers = {name: number for number, name in enumerate(sorted({str(name) for name in names}))}
    return [numbers[str(name)] for name in names]


def _image_reader(options: ImageOptions) -> Callable[[Path], NDArray[np.float32]]:
    image = import_extra("PIL.Image")

    def read(path: Path) -> NDArray[np.float32]:
        try:
            with image.open(path) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise Invalid(f"{path.name} has more than {MAX_PIXELS:,} pixels.", code="data_form", field="data")
                picture = opened.convert("L" if options.is_gray else "RGB")
        except (OSError, ValueError, SyntaxError, image.DecompressionBombError) as error:
            raise Invalid(f"{path.name} cannot be read as an image.", code="data_unreadable", field="data") from error
        if options.size is not None:
            picture = picture.resize((options.size[1], options.size[0]), image.Resampling.BILINEAR)
        pixels = np.asarray(picture, dtype=np.float32).reshape(picture.height, picture.width, -1) / 255
        mean, deviation = (np.array(each, dtype=np.float32) for each in (options.mean, options.deviation))
        scaled = ((pixels - mean) / deviation).astype(np.float32)
        return scaled.transpose(2, 0, 1) if options.layout == "nchw" else scaled

    return read


def _read_sound(path: Path) -> NDArray[np.float32]:
    try:
        with wave.open(str(path)) as sound:
            if sound.getsampwidth() != 2:
                raise Invalid(f"{path.name} has no samples of 16 bits.", code="data_form", field="data")
            channels, frames = sound.getnchannels(), sound.readframes(sound.getnframes())
    except (OSError, wave.Error, EOFError) as error:
        raise Invalid(f"{path.name} cannot be read as a sound.", code="data_unreadable", field="data") from error
    samples = np.frombuffer(frames, dtype="<i2").reshape(-1, channels)
    mono: NDArray[np.float32] = (samples.mean(axis=1) / 32_768).astype(np.float32)
    return mono
