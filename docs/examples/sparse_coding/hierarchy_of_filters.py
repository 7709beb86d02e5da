"""
A hierarchy of filters: edges, arcs and crossings, outlines
===========================================================

An adaptive deconvolutional network learns filters of images, filters of the pooled maps of these
filters, and so on. Each layer makes the image itself. This page looks at what the features of each
layer stand for in pixels, and at the images that each layer makes.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import AdaptiveDeconvolutionalNetwork, TikhonovDetail
from sklvm.datasets import load_photographs

SIDE = 50
rng = np.random.default_rng(0)


def crops(image, n):
    """Parts of an image that lie where it has most contrast."""
    corners = np.column_stack([rng.integers(0, s - SIDE, 8 * n) for s in image.shape])
    parts = np.array([image[i : i + SIDE, j : j + SIDE].ravel() for i, j in corners])
    return parts[np.argsort(-parts.std(axis=1))[:n]]


X = np.vstack([crops(image, 2) for image in load_photographs().values()]).astype(float)
X = TikhonovDetail((SIDE, SIDE), strength=5.0).fit_transform(X)
X /= X.std()

# %%
# Three layers
# ------------
# Filters have 7 × 7 values. Maps are pooled in blocks of 2 × 2 places, so that a filter of the
# second layer covers 20 × 20 pixels, and one of the third 46 × 46. A switch for each block says
# where its greatest entry was; on the way back to pixels it goes there again.

network = AdaptiveDeconvolutionalNetwork(
    (12, 18, 24), filter_shape=7, image_shape=(SIDE, SIDE), max_iter=6, tol=0, random_state=0
).fit(X)
for name in ("objective_1", "objective_2", "objective"):
    values = network.history_[name]
    values = values[np.isfinite(values)]
    print(f"{name:12} from {values[0]:7.1f} to {values[-1]:7.1f}")

# %%
# What features stand for
# -----------------------
# The first layer has filters of pixels: edges and lines. Features of the upper layers are shown
# where they are strongest among all images, each alone: one entry of its map goes down through the
# switches of that image. The second layer has short lines, arcs, corners and crossings, the third
# longer arcs and groups of lines. The same feature looks different in another image, which has
# other switches.


def sheet(ax, pictures, n_columns, title):
    """Pictures in rows, each in its own grey levels."""
    height, width = pictures.shape[1:]
    n_rows = -(-len(pictures) // n_columns)
    canvas = np.zeros((n_rows * (height + 1), n_columns * (width + 1)))
    for k, picture in enumerate(pictures):
        i, j = divmod(k, n_columns)
        rows = slice(i * (height + 1), i * (height + 1) + height)
        columns = slice(j * (width + 1), j * (width + 1) + width)
        canvas[rows, columns] = picture / max(np.abs(picture).max(), 1e-12)
    ax.imshow(canvas, cmap="gray", vmin=-1, vmax=1)
    ax.set_title(title)
    ax.set_axis_off()


def around(pictures, size):
    """The square of a picture in which it has its energy."""
    cut = []
    for picture in pictures.reshape(-1, SIDE, SIDE):
        energy = picture**2
        total = max(energy.sum(), 1e-12)
        centre = [int((energy.sum(axis=1 - a) @ np.arange(SIDE)) / total) for a in (0, 1)]
        first = [min(max(c - size // 2, 0), SIDE - size) for c in centre]
        cut.append(picture[first[0] : first[0] + size, first[1] : first[1] + size])
    return np.array(cut)


figure, axes = plt.subplots(1, 3, figsize=(12, 4), width_ratios=(3, 4, 5), layout="constrained")
sheet(axes[0], network.components_[0].reshape(-1, 7, 7), 4, "Layer 1: filters")
for layer, size, n_columns in ((2, 20, 5), (3, 44, 5)):
    pictures, _ = network.strongest(X, layer=layer)
    sheet(
        axes[layer - 1], around(pictures, size), n_columns, f"Layer {layer}: strongest, in pixels"
    )
plt.show()

# %%
# Images from each layer
# ----------------------
# Layers above the first have fewer places, and what they make is a little coarser. Without the
# switches entries go to the middle of their blocks, and outlines become mosaics: the codes hold
# what there is, the switches where exactly it is.

some = X[[0, 6, 10, 18]]
codes, switches = network.encode(some)
rows = [some, *(network.reconstruct(some, layer=layer) for layer in (1, 2, 3))]
rows.append(network.inverse_transform(codes[2]))
titles = ["image", "layer 1", "layer 2", "layer 3", "layer 3, no switches"]
figure, axes = plt.subplots(4, 5, figsize=(9, 7.4), layout="constrained")
for i in range(4):
    for j, title in enumerate(titles):
        axes[i, j].imshow(rows[j][i].reshape(SIDE, SIDE), cmap="gray", vmin=-3, vmax=3)
        axes[i, j].set_axis_off()
        if i == 0:
            axes[i, j].set_title(title)
plt.show()

for title, made in zip(titles[1:], rows[1:], strict=True):
    error = ((made - some) ** 2).sum() / (some**2).sum()
    print(f"{title:22} leaves {100 * error:5.1f} % of the energy")
