"""
Denoising and inpainting a photograph
=====================================

A dictionary learned from the damaged image itself repairs it: noise has no sparse code, and pixels
that are missing follow from those that are there.
"""

import matplotlib.pyplot as plt
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sklvm import DictionaryLearner, SparseCoder
from sklvm.datasets import load_photographs
from sklvm.sparse_coding import AtMostResidual

SIDE = 8
image = 255.0 * load_photographs()["camera"]
rng = np.random.default_rng(0)


def psnr(restored):
    """In decibels, at grey levels from 0 to 255."""
    return 10 * np.log10(255**2 / np.mean((np.clip(restored, 0, 255) - image) ** 2))


def patches_of(pixels, step):
    """Patches at every `step`-th position, and where they are."""
    windows = sliding_window_view(pixels, (SIDE, SIDE))
    rows, columns = (np.append(np.arange(0, n - 1, step), n - 1) for n in windows.shape[:2])
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)
    return windows[places[:, 0], places[:, 1]].reshape(len(places), -1), places


def average(patches, places):
    """The image that overlapping patches make."""
    total, count = np.zeros(image.shape), np.zeros(image.shape)
    for patch, (row, column) in zip(patches, places, strict=True):
        total[row : row + SIDE, column : column + SIDE] += patch.reshape(SIDE, SIDE)
        count[row : row + SIDE, column : column + SIDE] += 1
    return total / count


# %%
# Noise
# -----
# Noise of standard deviation 25. The dictionary is learned by l1 from noisy patches without their
# means. Then each patch is coded by matching pursuit, until what is left is of the size of the
# noise, and overlapping reconstructions are averaged (Elad and Aharon, 2006).

sigma = 25
noisy = image + sigma * rng.standard_normal(image.shape)
patches, places = patches_of(noisy, step=1)
means = patches.mean(axis=1, keepdims=True)
patches = patches - means
learner = DictionaryLearner(
    256, alpha=1.2 * sigma, batch_size=1024, max_iter=2, tol=0, random_state=0
).fit(patches)
coder = SparseCoder(
    learner.components_, penalty=AtMostResidual(1.15 * sigma * SIDE), sparse_output=True
).fit(patches)
codes = coder.transform(patches)
denoised = average(coder.inverse_transform(codes) + means, places)
print(
    f"PSNR {psnr(noisy):.2f} dB noisy, {psnr(denoised):.2f} dB denoised, with "
    f"{codes.nnz / len(patches):.2f} atoms a patch"
)

# %%
# Missing pixels
# --------------
# Half of the pixels are lost, and NaN stands for them. Patches are learned from and coded as they
# are: on the pixels that are known. ``inverse_transform`` then has all pixels. Without a mean to
# subtract from incomplete patches, that of their known pixels has to do, and a constant atom joins
# the dictionary to correct it.

holed = np.where(rng.random(image.shape) < 0.5, np.nan, image)
patches, places = patches_of(holed, step=3)
means = np.nanmean(patches, axis=1, keepdims=True)
patches = patches - means
some = rng.choice(len(patches), 3000, replace=False)
learner = DictionaryLearner(128, alpha=10, batch_size=500, max_iter=6, tol=0, random_state=0).fit(
    patches[some]
)
atoms = np.vstack([learner.components_, np.full(SIDE**2, 1 / SIDE)])


def inpaint(patches):
    coder = SparseCoder(atoms, alpha=10, sparse_output=True).fit(patches)
    return average(coder.inverse_transform(coder.transform(patches)) + means, places)


filled = np.where(np.isnan(holed), inpaint(patches), holed)
believed = np.where(np.isnan(holed), inpaint(np.nan_to_num(patches)), holed)
flat = np.where(np.isnan(holed), average(np.broadcast_to(means, patches.shape), places), holed)
print(
    f"PSNR {psnr(filled):.2f} dB by codes of the known pixels, {psnr(believed):.2f} dB where "
    f"missing ones count as their patch's mean, {psnr(flat):.2f} dB by local means"
)

# %%
# What is seen
# ------------
# The coat's outline and the tripod come back from the noise; grass and the buildings' faint texture
# do not, as they are weaker than the noise. Coded on the known pixels, the half that is missing is
# hardly missed; where missing pixels count as the mean, they pull the picture towards it.

figure, axes = plt.subplots(2, 3, figsize=(10, 7), layout="constrained")
pictures = {
    "original": image,
    f"noisy, {psnr(noisy):.1f} dB": noisy,
    f"denoised, {psnr(denoised):.1f} dB": denoised,
    "half of it missing": np.nan_to_num(holed),
    f"missing as the mean, {psnr(believed):.1f} dB": believed,
    f"coded on what is known, {psnr(filled):.1f} dB": filled,
}
for axis, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set(title=title)
    axis.set_axis_off()
plt.show()
