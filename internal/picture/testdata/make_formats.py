"""Writes formats.json: what Pillow makes of small files of the rarer kinds.

    python -m venv venv
    venv/bin/pip install pillow==13.0.0 pillow-heif==1.8.1 numpy==2.4.6
    venv/bin/python make_formats.py

The file is like decode.json, of make_fixtures.py, with the remark that reading
the file should give.
"""
import json
import struct

import numpy as np
import pillow_heif
from PIL import Image

from make_fixtures import ORIENTATION, encode, fixture, scene, write

pillow_heif.register_heif_opener()

ANIMATION = "an animation; its first frame is taken"
SEVERAL = "the file holds 2 pictures; the main one is taken"


def segments(jpeg):
    """The segments of a JPEG before its scan, and all that follows."""
    at, found = 2, []
    while jpeg[at + 1] != 0xDA:
        length = 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        found.append(jpeg[at : at + length])
        at += length
    return found, jpeg[at:]


def without(jpeg, marker):
    kept, rest = segments(jpeg)
    return jpeg[:2] + b"".join(s for s in kept if s[1] != marker) + rest


def before_exif(jpeg, inserted):
    kept, rest = segments(jpeg)
    return jpeg[:2] + b"".join((inserted if s[1] == 0xE1 else b"") + s for s in kept) + rest


def long_orientation(jpeg):
    short = struct.pack(">HHIHH", ORIENTATION, 3, 1, 6, 0)
    assert short in jpeg
    return jpeg.replace(short, struct.pack(">HHII", ORIENTATION, 4, 1, 6))


def formats():
    small, large = scene(7, 5), scene(24, 17)
    clear = large.copy()
    clear.putalpha(Image.linear_gradient("L").resize(large.size))
    ramp = Image.fromarray(np.linspace(0, 255, 35).round().astype(np.uint8).reshape(5, 7), "L")
    deep = Image.fromarray((np.arange(35) * 1871 % 65536).astype(np.uint16).reshape(5, 7))
    other = large.transpose(Image.Transpose.ROTATE_180)
    turned = Image.Exif()
    turned[ORIENTATION] = 6

    palette = small.quantize(8)
    yield "", fixture("gif", 0, encode(palette, format="GIF"))
    yield "", fixture("gif with a clear colour", 0, encode(palette, format="GIF", transparency=2))
    yield ANIMATION, fixture("gif animation", 0, encode(palette, format="GIF", save_all=True, append_images=[small.quantize(3)]))
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        image = ramp.convert("1") if mode == "1" else palette if mode == "P" else small.convert(mode)
        yield "", fixture(f"bmp {mode}", 0, encode(image, format="BMP"))
    for mode in ("1", "L", "RGB"):
        image = ramp.convert("1") if mode == "1" else small.convert(mode)
        yield "", fixture(f"pnm {mode}", 0, encode(image, format="PPM"))
    yield "", fixture("pnm grey 16", 0, encode(deep, format="PPM"))
    yield ANIMATION, fixture("png animation", 0, encode(small, format="PNG", save_all=True, append_images=[ramp.convert("RGB")]))
    yield ANIMATION, fixture("webp animation", 0, encode(small, format="WEBP", lossless=True, save_all=True, append_images=[ramp.convert("RGB")]))
    yield ANIMATION, fixture("webp lossy animation", 1.5, encode(clear, format="WEBP", quality=90, save_all=True, append_images=[other]))

    # The tolerances cover other ways of interpolating chroma.
    exif = turned.tobytes()
    yield "", fixture("heic turned", 3, encode(large, format="HEIF", quality=90, chroma=444, exif=exif))
    yield "", fixture("heic BT.709", 3, encode(large, format="HEIF", quality=90, chroma=444, matrix_coefficients=1, full_range_flag=0))
    yield "", fixture("heic alpha", 13, encode(clear, format="HEIF", quality=90))
    yield "", fixture("heic grey", 2, encode(large.convert("L"), format="HEIF", quality=90))
    yield SEVERAL, fixture("heic of several", 15, encode(large, format="HEIF", quality=90, save_all=True, append_images=[other]))
    yield "", fixture("avif turned", 2, encode(large, format="AVIF", quality=90, subsampling="4:4:4", exif=exif))
    yield "", fixture("avif limited range", 15, encode(large, format="AVIF", quality=90, range="limited"))
    yield "", fixture("avif alpha", 15, encode(clear, format="AVIF", quality=90))
    yield ANIMATION, fixture("avif animation", 16, encode(large, format="AVIF", quality=90, save_all=True, append_images=[other]))

    jpeg = dict(format="JPEG", quality=95, subsampling=0)
    yield "", fixture("jpeg rgb", 1.5, encode(large, keep_rgb=True, **jpeg))
    yield "", fixture("jpeg cmyk without adobe", 1.5, without(encode(large.convert("CMYK"), **jpeg), 0xEE))
    upright = encode(small, exif=turned, **jpeg)
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    yield "", fixture("jpeg xmp before exif", 2.5, before_exif(upright, b"\xff\xe1" + struct.pack(">H", 2 + len(xmp)) + xmp))
    yield "", fixture("jpeg fill bytes before exif", 2.5, before_exif(upright, b"\xff\xff\xff"))
    yield "", fixture("jpeg orientation as long", 2.5, long_orientation(upright))


if __name__ == "__main__":
    write("formats.json", [{"remark": remark, **values} for remark, values in formats()])
