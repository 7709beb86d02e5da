"""
Filters of whole images: learned, and used to denoise and to inpaint
====================================================================

A convolutional dictionary codes a whole image as a sum of filters at a few places. Here filters are
learned from photographs. Then they remove noise from another photograph, and fill in its missing
pixels.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import ConvolutionalDictionaryLearner, ConvolutionalSparseCoder, TikhonovDetail
from sklvm.datasets import load_photographs
from sklvm.plotting import FilterDisplay

SIDE = 128
photographs = load_photographs()
test = photographs.pop("camera")[20 : 20 + SIDE, 60 : 60 + SIDE]


def middle(image):
    """The middle of an image, SIDE pixels wide and high."""
    top, left = ((n - SIDE) // 2 for n in image.shape)
    return image[top : top + SIDE, left : left + SIDE]


def psnr(restored):
    """In decibels, at grey levels from 0 to 1."""
    return -10 * np.log10(np.mean((np.clip(restored, 0, 1).reshape(SIDE, SIDE) - test) ** 2))


# %%
# Filters
# -------
# Slow changes of brightness are taken away first, because filters of 8 × 8 pixels would spend most
# of their coefficients on them. From what is left, the detail, filters are learned: coding the
# images and improving the filters alternate.

large = [image for image in photographs.values() if min(image.shape) >= SIDE][:5]
X = np.array([middle(image).ravel() for image in large])
detail = TikhonovDetail((SIDE, SIDE), strength=5.0).fit(X)
learner = ConvolutionalDictionaryLearner(
    32,
    filter_shape=(8, 8),
    image_shape=(SIDE, SIDE),
    alpha=0.08,
    boundary="full",
    max_iter=12,
    tol=0,
    random_state=0,
).fit(detail.transform(X))

figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
FilterDisplay.from_estimator(learner, ax=axes[0])
axes[0].set_title("Learned filters")
axes[1].plot(1 + np.arange(learner.n_iter_), learner.history_["objective"])
axes[1].set(xlabel="pass", ylabel="mean objective", title="Never rises")
plt.show()

# %%
# The picture on the right shows where filters are used in one image: maps are zero nearly
# everywhere.

Z = learner.transform(detail.transform(X[:1])).reshape(32, *learner.map_shape_)
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
axes[0].imshow(X[0].reshape(SIDE, SIDE), cmap="gray")
axes[0].set_title("Photograph")
axes[1].imshow(detail.transform(X[:1]).reshape(SIDE, SIDE), cmap="gray")
axes[1].set_title("Its detail")
strengths = np.abs(Z).sum(axis=0)
axes[2].imshow(strengths, cmap="gray_r", vmax=np.quantile(strengths, 0.995))
axes[2].set_title(f"All maps: {np.mean(Z != 0):.2%} nonzero")
for ax in axes:
    ax.set_axis_off()
plt.show()

# %%
# Noise
# -----
# Noise has no sparse code. α is so large that the correlation of white noise of this strength with
# a filter of norm 1 rarely exceeds it.

sigma = 0.1
rng = np.random.default_rng(0)
noisy = (test + sigma * rng.standard_normal(test.shape)).reshape(1, -1)
filters = learner.components_.reshape(32, 8, 8)


def restore(image, alpha, penalty="l1"):
    """The smooth part and the codes of the detail, one image again."""
    coder = ConvolutionalSparseCoder(
        filters,
        image_shape=(SIDE, SIDE),
        alpha=alpha,
        penalty=penalty,
        boundary="full",
        tol=1e-3,
        sparse_output=True,
    )
    return coder.fit(image).reconstruct(image, detail=detail)


denoised = restore(noisy, alpha=2.3 * sigma)

# %%
# Missing pixels
# --------------
# Half of the pixels are missing. It is enough to set them to NaN: codes are then fitted to the
# known pixels only.

holed = test.copy()
holed[rng.random(test.shape) < 0.5] = np.nan
holed = holed.reshape(1, -1)
filled = restore(holed, alpha=0.01)
smooth = detail.smooth(holed)

figure, axes = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained")
pictures = [
    (test, "Photograph"),
    (noisy, f"Noise of {sigma}: {psnr(noisy):.1f} dB"),
    (denoised, f"Restored: {psnr(denoised):.1f} dB"),
    (np.nan_to_num(holed, nan=1.0), "Half of it is missing"),
    (smooth, f"Its smooth part: {psnr(smooth):.1f} dB"),
    (filled, f"Filled in: {psnr(filled):.1f} dB"),
]
for ax, (picture, title) in zip(axes.flat, pictures, strict=True):
    ax.imshow(np.reshape(picture, (SIDE, SIDE)), cmap="gray", vmin=0, vmax=1)
    ax.set_title(title)
    ax.set_axis_off()
plt.show()
