"""A folder of images of every kind reads as grey arrays in [0, 1]."""

import warnings

import numpy as np
import pytest

from sklvm.datasets import read_images

Image = pytest.importorskip("PIL.Image")

RNG = np.random.default_rng(0)
GREY = RNG.random((20, 30))
LUMINANCE = [0.2125, 0.7154, 0.0721]


def _bytes(levels):
    return np.round(255 * levels).astype(np.uint8)


def test_grey_png_round_trips(tmp_path):
    Image.fromarray(_bytes(GREY)).save(tmp_path / "grey.png")
    image = read_images(tmp_path)["grey.png"]
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, GREY, atol=0.51 / 255)


def test_colour_is_luminance(tmp_path):
    colour = RNG.random((20, 30, 3))
    Image.fromarray(_bytes(colour)).save(tmp_path / "colour.png")
    np.testing.assert_allclose(
        read_images(tmp_path)["colour.png"], colour @ LUMINANCE, atol=0.51 / 255
    )


def test_transparent_pixels_lie_over_white(tmp_path):
    pixels = np.zeros((20, 30, 4), dtype=np.uint8)
    pixels[:10, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    image = read_images(tmp_path)["alpha.png"]
    assert (image[:10] == 0).all()
    assert (image[10:] == 1).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_keep_their_precision(tmp_path, suffix):
    levels = np.round(65535 * GREY).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / f"deep.{suffix}")
    np.testing.assert_allclose(
        read_images(tmp_path)[f"deep.{suffix}"], GREY, atol=0.51 / 65535 + 1e-7
    )


def test_sixteen_bit_colour_tiff_keeps_eight_bits_at_least(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    colour = RNG.random((20, 30, 3))
    deep = np.round(65535 * colour).astype(np.uint16)
    tifffile.imwrite(tmp_path / "deep.tiff", deep, photometric="rgb")
    np.testing.assert_allclose(read_images(tmp_path)["deep.tiff"], colour @ LUMINANCE, atol=1 / 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_png_mode_reads(tmp_path, mode):
    Image.fromarray(_bytes(GREY)).convert(mode).save(tmp_path / "image.png")
    image = read_images(tmp_path)["image.png"]
    assert image.shape == (20, 30)
    if mode != "1":
        np.testing.assert_allclose(image, GREY, atol=0.51 / 255 + 1e-6)


def test_palette_with_a_transparent_entry(tmp_path):
    palette = Image.new("P", (30, 20), 0)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert (read_images(tmp_path)["palette.png"] == 1).all()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_jpeg_mode_reads(tmp_path, mode):
    smooth = np.add.outer(np.linspace(0, 0.5, 20), np.linspace(0, 0.5, 30))
    Image.fromarray(_bytes(smooth)).convert(mode).save(tmp_path / "IMAGE.JPG", quality=95)
    np.testing.assert_allclose(read_images(tmp_path)["IMAGE.JPG"], smooth, atol=0.03)


def test_unreadable_files_are_named_once_and_skipped(tmp_path):
    Image.fromarray(_bytes(GREY)).save(tmp_path / "good.png")
    (tmp_path / "broken.jpg").write_bytes(b"this is no picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:100])
    (tmp_path / "empty.tif").touch()
    (tmp_path / "notes.txt").write_text("not looked at")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        images = read_images(tmp_path)
    assert list(images) == ["good.png"]
    (warning,) = [w for w in caught if issubclass(w.category, UserWarning)]
    for name in ("broken.jpg", "cut.png", "empty.tif"):
        assert name in str(warning.message)
    assert "notes.txt" not in str(warning.message)


def test_large_images_are_scaled_down_to_fit(tmp_path):
    Image.fromarray(_bytes(GREY)).save(tmp_path / "grey.png")
    image = read_images(tmp_path, max_side=15)["grey.png"]
    assert image.shape == (10, 15)
    blocks = (_bytes(GREY) / 255).reshape(10, 2, 15, 2)
    np.testing.assert_allclose(image, blocks.mean(axis=(1, 3)), atol=1e-6)
    assert read_images(tmp_path, downscale=4, max_side=15)["grey.png"].shape == (5, 7)


def test_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_images(tmp_path / "nowhere")


def test_file_instead_of_folder(tmp_path):
    (tmp_path / "file.png").touch()
    with pytest.raises(NotADirectoryError, match=r"file\.png"):
        read_images(tmp_path / "file.png")


def test_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ValueError, match="has no image"):
        read_images(tmp_path)


def test_folder_without_readable_images(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match=r"no readable image: broken\.png"):
        read_images(tmp_path)


@pytest.mark.parametrize("option", ["downscale", "max_side"])
@pytest.mark.parametrize("value", [0, -3, 2.5])
def test_bad_scaling_is_named(tmp_path, option, value):
    with pytest.raises((ValueError, TypeError), match=option):
        read_images(tmp_path, **{option: value})
