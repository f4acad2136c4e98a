"""Draw the app's icons: two people's words over each other. `python -m scripts.icons` writes client/web/browser/icons/.

With nothing but the standard library, so that whoever changes a colour can draw them again. Shapes are distances to
their edge, so that edges are smooth at any size. Must not know the app.

Source: PNG (W3C, third edition), Web App Manifest (maskable icons: what matters is within 80 % of the width).
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

ICONS: Final = Path(__file__).parent.parent / "client" / "web" / "browser" / "icons"

Colour = tuple[int, int, int, int]
Shape = Callable[[float, float], float]
"""How far a point is outside the shape, in widths of the icon; inside, less than 0."""

GROUND: Final = (160, 63, 31)
BACK: Final = (242, 152, 111)
FRONT: Final = (255, 253, 250)
STEPS: Final = 3
"""Shades between two colours along an edge."""


def rounded(x: float, y: float, width: float, height: float, radius: float) -> Shape:
    """A rectangle around (x, y) with round corners."""

    def distance(at_x: float, at_y: float) -> float:
        across, down = abs(at_x - x) - width / 2 + radius, abs(at_y - y) - height / 2 + radius
        return math.hypot(max(across, 0), max(down, 0)) + min(max(across, down), 0) - radius

    return distance


def triangle(*corners: tuple[float, float]) -> Shape:
    """A triangle, its corners clockwise as they are seen."""
    edges = list(zip(corners, corners[1:] + corners[:1], strict=True))

    def distance(at_x: float, at_y: float) -> float:
        return max(
            ((at_x - ax) * (by - ay) - (at_y - ay) * (bx - ax)) / math.hypot(bx - ax, by - ay)
            for (ax, ay), (bx, by) in edges
        )

    return distance


def either(*shapes: Shape) -> Shape:
    """All of them together."""
    return lambda x, y: min(shape(x, y) for shape in shapes)


def grown(shape: Shape, by: float) -> Shape:
    """The same, wider by so much all around."""
    return lambda x, y: shape(x, y) - by


def bubbles(scale: float) -> tuple[Shape, Shape]:
    """Two speech bubbles, the second before the first; `scale` is what they take of the width."""

    def placed(shape: Shape) -> Shape:
        return lambda x, y: shape((x - 0.5) / scale + 0.5, (y - 0.5) / scale + 0.5) * scale

    behind = either(rounded(0.36, 0.33, 0.60, 0.42, 0.19), triangle((0.12, 0.40), (0.30, 0.50), (0.10, 0.66)))
    before = either(rounded(0.62, 0.60, 0.64, 0.46, 0.21), triangle((0.72, 0.78), (0.88, 0.68), (0.90, 0.96)))
    return placed(behind), placed(before)


def dots(scale: float) -> Shape:
    """Three dots in the bubble before the other: somebody is about to say something."""
    spots = [rounded(0.5 + (x - 0.5) * scale, 0.5 + 0.1 * scale, 0.1 * scale, 0.1 * scale, 0.05 * scale)
             for x in (0.46, 0.62, 0.78)]  # fmt: skip
    return either(*spots)


def drawn(size: int, layers: Iterable[tuple[Shape, Colour]]) -> list[list[Colour]]:
    """The pixels of layers over each other, on nothing."""
    painted = list(layers)
    return [[_pixel((x + 0.5) / size, (y + 0.5) / size, size, painted) for x in range(size)] for y in range(size)]


def _pixel(x: float, y: float, size: int, layers: list[tuple[Shape, Colour]]) -> Colour:
    red = green = blue = alpha = 0.0
    for shape, colour in layers:
        cover = min(max(0.5 - shape(x, y) * size, 0), 1)
        cover = round(cover * STEPS) / STEPS * colour[3] / 255
        left = alpha * (1 - cover)
        alpha = cover + left
        if alpha:
            red, green, blue = (
                (new * cover + old * left) / alpha for new, old in zip(colour[:3], (red, green, blue), strict=True)
            )
    return round(red), round(green), round(blue), round(alpha * 255)


def png(rows: list[list[Colour]]) -> bytes:
    """The picture with a palette, see-through colours first: what is not must not be listed."""
    colours = sorted({colour for row in rows for colour in row}, key=lambda colour: (colour[3], colour))
    index = {colour: number for number, colour in enumerate(colours)}
    depth = next(bits for bits in (1, 2, 4, 8) if len(colours) <= 1 << bits)
    raw = b"".join(b"\0" + _packed([index[colour] for colour in row], depth) for row in rows)
    see_through = bytes(colour[3] for colour in colours if colour[3] < 255)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), depth, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(part for colour in colours for part in colour[:3])),
            _chunk(b"tRNS", see_through) if see_through else b"",
            _chunk(b"IDAT", zlib.compress(raw, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _packed(numbers: list[int], depth: int) -> bytes:
    each = 8 // depth
    padded = numbers + [0] * (-len(numbers) % each)
    return bytes(
        sum(number << (8 - depth * (place + 1)) for place, number in enumerate(padded[start : start + each]))
        for start in range(0, len(padded), each)
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def scene(size: int, ground: Shape, scale: float) -> bytes:
    """The icon on its ground; the bubbles take `scale` of the width."""
    behind, before = bubbles(scale)
    layers = [(ground, GROUND), (behind, BACK), (grown(before, 0.03), GROUND), (before, FRONT), (dots(scale), GROUND)]
    return png(drawn(size, [(shape, (*colour, 255)) for shape, colour in layers]))


def badge(size: int) -> bytes:
    """What Android puts into its status bar: only what is not see-through counts."""
    behind, before = bubbles(0.98)
    gap = grown(before, 0.05)
    seen = either(before, lambda x, y: max(behind(x, y), -gap(x, y)))
    return png(drawn(size, [(seen, (255, 255, 255, 255))]))


TILE: Final = rounded(0.5, 0.5, 1, 1, 0.22)
FULL: Final = rounded(0.5, 0.5, 2, 2, 0)
DRAWINGS: Final[dict[str, Callable[[], bytes]]] = {
    "192.png": lambda: scene(192, TILE, 0.74),
    "512.png": lambda: scene(512, TILE, 0.74),
    "maskable.png": lambda: scene(512, FULL, 0.64),
    "badge.png": lambda: badge(72),
}
"""How each icon is drawn, by the name of its file."""

if __name__ == "__main__":
    ICONS.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        content = draw()
        (ICONS / name).write_bytes(content)
        print(f"{name}: {len(content)} bytes")
