"""Writes decode.json and resize.json: what Pillow makes of small files and planes.

    python -m venv venv && venv/bin/pip install pillow==13.0.0 numpy==2.4.6
    venv/bin/python make_fixtures.py

decode.json: files in base64 and their pixels, upright and composited on white,
as rows of R, G, B in 0-255, interleaved. resize.json: one plane resampled by
Pillow's mode F.
"""
import base64
import io
import json

import numpy as np
from PIL import Image, ImageOps

ORIENTATION = 0x0112


def scene(width, height):
    """A smooth picture that no flip or rotation maps to itself."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    u, v = x / (width - 1), y / (height - 1)
    planes = [230 * u + 20 * v, 40 + 180 * v * v, 200 - 150 * u * v]
    return Image.fromarray(np.stack(planes, -1).round().astype(np.uint8), "RGB")


def encode(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def pixels(data):
    """The upright picture on white, in float."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith("I"):
        grey = np.array(image).astype(float) / 257
        return np.repeat(grey[..., None], 3, -1)
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        rgba = np.array(image.convert("RGBA")).astype(float)
        alpha = rgba[..., 3:] / 255
        return rgba[..., :3] * alpha + 255 * (1 - alpha)
    return np.array(image.convert("RGB")).astype(float)


def fixture(name, tolerance, data):
    values = pixels(data)
    return {
        "name": name,
        "tolerance": tolerance,
        "width": values.shape[1],
        "height": values.shape[0],
        "rgb": [round(v, 3) for v in values.ravel().tolist()],
        "file": base64.b64encode(data).decode(),
    }


def decode_fixtures():
    small, large = scene(7, 5), scene(24, 17)
    ramp = Image.fromarray(np.linspace(0, 255, 35).round().astype(np.uint8).reshape(5, 7), "L")
    deep = Image.fromarray((np.arange(35) * 1871 % 65536).astype(np.uint16).reshape(5, 7))
    clear = small.copy()
    clear.putalpha(ramp)
    grey_clear = small.convert("L")
    grey_clear.putalpha(ramp)
    large_clear = large.copy()
    large_clear.putalpha(Image.linear_gradient("L").resize(large.size))
    palette = small.quantize(8)
    yield fixture("png rgb", 0, encode(small, format="PNG"))
    yield fixture("png rgba", 0, encode(clear, format="PNG"))
    yield fixture("png grey", 0, encode(small.convert("L"), format="PNG"))
    yield fixture("png grey and alpha", 0, encode(grey_clear, format="PNG"))
    yield fixture("png grey 16", 0, encode(deep, format="PNG"))
    yield fixture("png palette", 0, encode(palette, format="PNG"))
    yield fixture("png palette with a clear colour", 0, encode(palette, format="PNG", transparency=2))
    yield fixture("png 1 bit", 0, encode(ramp.convert("1"), format="PNG"))
    yield fixture("tiff rgb", 0, encode(small, format="TIFF"))
    yield fixture("tiff rgba deflate", 0, encode(clear, format="TIFF", compression="tiff_adobe_deflate"))
    yield fixture("tiff grey 16 lzw", 0, encode(deep, format="TIFF", compression="tiff_lzw"))
    # Pillow writes a colour v of a TIFF palette as 256 v of 65535, Go reads 16 bits.
    yield fixture("tiff palette", 1, encode(palette, format="TIFF"))
    yield fixture("webp lossless", 0, encode(small, format="WEBP", lossless=True))
    yield fixture("webp lossless rgba", 0, encode(clear, format="WEBP", lossless=True, exact=True))
    # The tolerance, in levels of 255, covers other roundings in the inverse cosine transform and in the colours.
    yield fixture("webp lossy", 1.5, encode(large, format="WEBP", quality=90))
    yield fixture("webp lossy rgba", 1.5, encode(large_clear, format="WEBP", quality=90))
    yield fixture("jpeg 4:4:4", 2.5, encode(large, format="JPEG", quality=95, subsampling=0))
    yield fixture("jpeg 4:2:2", 2.5, encode(large, format="JPEG", quality=95, subsampling=1))
    yield fixture("jpeg 4:2:0", 2.5, encode(large, format="JPEG", quality=95, subsampling=2))
    yield fixture("jpeg progressive", 2.5, encode(large, format="JPEG", quality=90, progressive=True))
    yield fixture("jpeg grey", 1.5, encode(large.convert("L"), format="JPEG", quality=95))
    yield fixture("jpeg cmyk", 1.5, encode(large.convert("CMYK"), format="JPEG", quality=95, subsampling=0))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield fixture(f"jpeg orientation {orientation}", 2.5, encode(small, format="JPEG", quality=95, subsampling=0, exif=exif))
        yield fixture(f"png orientation {orientation}", 0, encode(small, format="PNG", exif=exif))
        yield fixture(f"tiff orientation {orientation}", 0, encode(small, format="TIFF", tiffinfo=exif))
        yield fixture(f"webp orientation {orientation}", 0, encode(small, format="WEBP", lossless=True, exif=exif))


def resize_fixtures():
    height, width = 9, 13
    plane = np.random.default_rng(1).uniform(-1, 2, (height, width)).astype(np.float32)
    cases = []
    for name in ("lanczos", "bicubic", "bilinear"):
        for size in ((29, 20), (18, 13), (13, 5), (5, 9), (6, 4), (3, 17), (1, 1)):
            image = Image.fromarray(plane, "F").resize(size, getattr(Image.Resampling, name.upper()))
            cases.append({"filter": name, "width": size[0], "height": size[1], "values": [round(v, 6) for v in np.array(image).ravel().tolist()]})
    return {"width": width, "height": height, "plane": [round(v, 9) for v in plane.ravel().tolist()], "cases": cases}


def write(name, value):
    with open(name, "w", encoding="ascii") as out:
        json.dump(value, out, separators=(",", ":"))
        out.write("\n")


if __name__ == "__main__":
    write("decode.json", list(decode_fixtures()))
    write("resize.json", resize_fixtures())
