"""Text out of pictures of pages, offline: PP-OCRv6's two small models on the onnxruntime that the product has.

Only the model files of the package rapidocr (Apache-2.0) are used. Its own code needs OpenCV, 150 MB for a few
operations that numpy, scipy and Pillow do as well on straight pages; so it is installed without its dependencies. One
model marks the pixels that belong to text, the other reads each line that they make. Pages that lie on their side or
stand on their head are turned first.

It reads the Latin script with the letters of European languages, Chinese and Japanese; neither Cyrillic nor Arabic,
Hebrew, Korean or the scripts of India. Columns of prose are read one after the other, a table row by row.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from knowledge.parsing import pdf_lines
from knowledge.parsing.pdf_lines import Cell

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PACKAGE, DETECTION, RECOGNITION = "rapidocr", "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
LONGEST_SIDE = 1760  # pixels in which text is looked for; a page of A4 at 150 dots an inch
IS_TEXT = 0.3  # of the detection's map: a pixel of text
SURE_TEXT = 0.5  # the mean over a line's pixels; less is a stain
UNCLIP = 1.6  # the map marks a line's core: by so much of area and perimeter it is let out
LEAST_HEIGHT = 6  # pixels of a line
LINE_HEIGHT, LONGEST_LINE = 48, 3200  # pixels that the reading model sees of a line
LEAST_SURE = 0.5  # confidence below which a line is left out
SAMPLED = 4  # lines that are read to see whether a page stands on its head
SURE_UPRIGHT = 0.9  # confidence of them from which on it is not
COLUMN_LINES = 4  # lines of a column, at least
COLUMN_FILLED = 0.55  # of a column's width is filled by its usual line: prose; the cells of a table fill less
ACROSS = 0.25  # of a page's lines may lie across its columns: titles and the like

Picture = NDArray[np.uint8]  # height, width, 3: blue, green, red
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text: its place in pixels from the upper left, and how sure the model is of it, 0 to 1.

    `cells` are the pieces side by side of which it was made.
    """

    text: str
    confidence: float
    top: float
    bottom: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of a picture and its height as it stands upright, in which their places are."""

    rows: tuple[Row, ...]
    height: int


@dataclass(frozen=True, slots=True)
class _Box:
    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def is_available() -> bool:
    """Whether the models are there; nothing is loaded."""
    return _folder() is not None


@cache
def edition() -> str:
    """Other models, and other code around them, read a page otherwise or write it down otherwise."""
    code = (Path(file).read_bytes() for file in (__file__, pdf_lines.__file__))
    return hashlib.sha256(b"".join(code)).hexdigest()[:16]


def _folder() -> Path | None:
    spec = find_spec(PACKAGE)
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places))) / "models" if places else None
    return folder if folder and all((folder / name).is_file() for name in (DETECTION, RECOGNITION)) else None


@cache
def _model(name: str) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # lines differ in length: an arena keeps the most of each
    return onnxruntime.InferenceSession(str((_folder() or Path()) / name), options)


def _run(name: str, values: Floats) -> Floats:
    (found,) = _model(name).run(None, {"x": values})
    result: Floats = found
    return result


def read(picture: Picture) -> Page:
    """The lines of text in a picture, as they are read: column by column, from top to bottom; what else stands side by
    side is one line.
    """
    picture, found = _upright(picture)
    rows = []
    for boxes in _in_order(found):
        parts = [(box, *_text_of(_cut(picture, box))) for box in boxes]
        sure = [
            (box, text, score)
            for box, text, score in parts
            if score >= LEAST_SURE and any(map(str.isalnum, text))
        ]
        if sure:
            rows.append(_row(sure))
    return Page(tuple(rows), picture.shape[0])


def _row(parts: Sequence[tuple[_Box, str, float]]) -> Row:
    letters = sum(len(text) for _, text, _ in parts)
    return Row(
        text=" ".join(text.strip() for _, text, _ in parts),
        confidence=sum(score * len(text) for _, text, score in parts) / letters,
        top=min(box.top for box, _, _ in parts),
        bottom=max(box.bottom for box, _, _ in parts),
        cells=tuple(Cell(text.strip(), box.left, box.right) for box, text, _ in parts),
    )


# Which way is up


def _upright(picture: Picture) -> tuple[Picture, list[_Box]]:
    """The picture so that its lines can be read, and where they are."""
    boxes = _boxes(picture)
    if boxes and sum(box.height > box.width for box in boxes) > len(boxes) / 2:
        picture = np.ascontiguousarray(np.rot90(picture))
        boxes = _boxes(picture)
    sample = [_cut(picture, box) for box in sorted(boxes, key=lambda box: -box.width)[:SAMPLED]]
    sureness = _sureness(sample)
    if sureness < SURE_UPRIGHT and sureness < _sureness([line[::-1, ::-1] for line in sample]):
        picture = np.ascontiguousarray(picture[::-1, ::-1])
        boxes = _boxes(picture)
    return picture, boxes


def _sureness(lines: Sequence[Picture]) -> float:
    """How sure the model is of these lines on average; 1 of none."""
    return statistics.fmean(_text_of(np.ascontiguousarray(line))[1] for line in lines) if lines else 1.0


def _cut(picture: Picture, box: _Box) -> Picture:
    return picture[box.top : box.bottom, box.left : box.right]


# Where text is


def _boxes(picture: Picture) -> list[_Box]:
    from scipy import ndimage  # type: ignore[import-untyped]

    height, width = picture.shape[:2]
    chances = _run(DETECTION, _prepared(picture))[0, 0]
    down, across = height / chances.shape[0], width / chances.shape[1]
    marked, _ = ndimage.label(ndimage.binary_dilation(chances > IS_TEXT, structure=np.ones((2, 2))))
    boxes = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(marked), start=1):
        inside = marked[rows, columns] == number
        tall, wide = inside.shape
        if min(tall, wide) < 3 or float(chances[rows, columns][inside].mean()) < SURE_TEXT:
            continue
        out = tall * wide * UNCLIP / (2 * (tall + wide))
        box = _Box(
            left=max(0, math.floor((columns.start - out) * across)),
            top=max(0, math.floor((rows.start - out) * down)),
            right=min(width, math.ceil((columns.stop + out) * across)),
            bottom=min(height, math.ceil((rows.stop + out) * down)),
        )
        if box.height >= LEAST_HEIGHT:
            boxes.append(box)
    return boxes


def _prepared(picture: Picture) -> Floats:
    """As the detection model wants it: sides that 32 divides, values from -1 to 1."""
    height, width = picture.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    sides = [max(32, round(side * scale / 32) * 32) for side in (height, width)]
    return _scaled(picture, height=sides[0], width=sides[1])


def _scaled(picture: Picture, *, height: int, width: int) -> Floats:
    from PIL import Image

    resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
    values: Floats = np.asarray(resized, dtype=np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
    return values


def _in_order(boxes: Sequence[_Box]) -> list[list[_Box]]:
    """Rows as they are read. What lies across the columns ends what stands above it."""
    gutter = _gutter(boxes)
    if gutter is None:
        return _in_rows(boxes)
    rows: list[list[_Box]] = []
    band: list[_Box] = []

    def end_band() -> None:
        for side in (
            [box for box in band if box.right <= gutter],
            [box for box in band if box.left >= gutter],
        ):
            rows.extend(_in_order(side))
        band.clear()

    for row in _in_rows(boxes):
        if any(box.left < gutter < box.right for box in row):
            end_band()
            rows.append(row)
        else:
            band.extend(row)
    end_band()
    return rows


def _gutter(boxes: Sequence[_Box]) -> int | None:
    """Where a page of prose is parted in columns, in pixels from the left; None where it is not."""
    if len(boxes) < 2 * COLUMN_LINES:
        return None
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    ends = {box.right for box in boxes if left + (right - left) / 5 < box.right < right - (right - left) / 5}
    best = min(ends, key=lambda end: (sum(box.left < end < box.right for box in boxes), end), default=None)
    if best is None or sum(box.left < best < box.right for box in boxes) > ACROSS * len(boxes):
        return None
    sides = [box for box in boxes if box.right <= best], [box for box in boxes if box.left >= best]
    return best if all(map(_is_prose, sides)) else None


def _is_prose(boxes: Sequence[_Box]) -> bool:
    """Whether one under the other, lines fill the width that they have."""
    if len(boxes) < COLUMN_LINES:
        return False
    width = max(box.right for box in boxes) - min(box.left for box in boxes)
    usual = statistics.median(box.width for box in boxes)
    return usual >= COLUMN_FILLED * width and usual > 4 * statistics.median(box.height for box in boxes)


def _in_rows(boxes: Sequence[_Box]) -> list[list[_Box]]:
    """Boxes side by side together, left to right; rows from the top."""
    rows: list[list[_Box]] = []
    for box in sorted(boxes, key=lambda one: one.middle):
        row = rows[-1] if rows else []
        if row and row[-1].top <= box.middle <= row[-1].bottom and box.top <= row[-1].middle <= box.bottom:
            row.append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda one: one.left) for row in rows]


# What it says


@cache
def _letters() -> list[str]:
    """By the reading model's numbers: nothing, its letters, and the space."""
    return ["", *_model(RECOGNITION).get_modelmeta().custom_metadata_map["character"].split("\n"), " "]


def _text_of(line: Picture) -> tuple[str, float]:
    """The text of a line's picture, and how sure the model is of its letters on average."""
    height, width = line.shape[:2]
    wide = min(LONGEST_LINE, max(LINE_HEIGHT, math.ceil(LINE_HEIGHT * width / height)))
    chances = _run(RECOGNITION, _scaled(line, height=LINE_HEIGHT, width=wide))[0]
    best = chances.argmax(axis=1)
    starts = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
    text = "".join(_letters()[number] for number in best[starts])
    return text, float(chances[starts, best[starts]].mean()) if starts.size else 0.0
