"""
Segmentation from scribbles
===========================

A user marks a few pixels of an image as object and a few as background. A conditional random field
does the rest: it learns colours from the marked pixels, and its borders prefer to run where the
image changes.
"""

import matplotlib.pyplot as plt
import numpy as np
from skimage import data
from skimage.draw import line
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from sklvm import GridConditionalRandomField

photograph = data.astronaut()[:400:2, 40:440:2] / 255.0  # 200 × 200 pixels, three channels
height, width, _ = photograph.shape

# %%
# Scribbles
# ---------
# Labels are 0 (background) and 1 (person) along a few strokes, and −1, unlabelled, elsewhere.

strokes = {
    1: [((20, 92), (75, 92)), ((60, 70), (60, 115)), ((120, 50), (190, 60)), ((110, 95), (190, 95)),
        ((125, 130), (190, 150)), ((30, 70), (45, 115))],
    0: [((5, 5), (5, 55)), ((10, 10), (120, 10)), ((10, 140), (60, 190)), ((90, 180), (110, 195)),
        ((40, 30), (85, 35)), ((30, 150), (90, 140)),
        ((60, 12), (100, 12)), ((60, 175), (120, 172))],
}  # fmt: skip
labels = np.full((height, width), -1)
for label, ends in strokes.items():
    for start, end in ends:
        rows, columns = line(*start, *end)
        for shift in (0, 1, 2):
            labels[np.clip(rows + shift, 0, height - 1), columns] = label
print(f"{100 * np.mean(labels >= 0):.1f}% of the pixels are marked")

# %%
# Features
# --------
# ``features`` makes the features of every pixel from rows of X: its colours with their squares and
# products, and its place. ``contrast=True`` makes it cheaper for neighbours to differ where colours
# do. Nearly all neighbours that are both marked are alike, so that the data ask for as strong a
# coupling as possible; ``coupling_alpha`` limits it.

down, right = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
place = np.stack([down, right, down**2, right**2, down * right], axis=2)


def features_of(X):
    colours = X.reshape(len(X), height, width, 3)
    first, second = np.triu_indices(3)
    products = colours[..., first] * colours[..., second]
    places = np.broadcast_to(place, (len(X), *place.shape))
    return np.concatenate([colours, products, places], axis=3).reshape(len(X), -1)


X, y = photograph.reshape(1, -1), labels.reshape(1, -1)
field = GridConditionalRandomField(
    (height, width),
    n_channels=3,
    features=FunctionTransformer(features_of),
    neighbourhood=8,
    contrast=True,
    objective="pseudo_likelihood",
    alpha=10,
    coupling_alpha=300,
).fit(X, y)
rows, is_marked = features_of(X).reshape(height * width, -1), labels.ravel() >= 0
pixels = LogisticRegression(C=0.1, max_iter=1000).fit(rows[is_marked], labels.ravel()[is_marked])
print(f"coupling {field.coupling_[0]:.2f}, of alike colours {field.coupling_.sum():.2f}")

# %%
# Pixel by pixel, and all together
# --------------------------------
# Logistic regression classifies each pixel by its own features. The field's labels are those of
# least energy, by a graph cut.

marked = photograph.copy()
marked[labels == 1] = (1, 0.2, 0.2)
marked[labels == 0] = (0.2, 0.4, 1)
panels = {"scribbles": marked}
masks = {"pixel by pixel": pixels.predict(rows), "random field": field.predict(X)}
for name, mask in masks.items():
    mask = mask.reshape(height, width, 1)
    panels[name] = np.where(mask == 1, photograph, 0.85 + 0.15 * photograph)
probability = field.predict_proba(X, inference="belief_propagation")[0, :, 1]
panels["probability of person"] = probability.reshape(height, width)
figure, axes = plt.subplots(1, 4, figsize=(13, 3.6), layout="constrained")
for axis, (title, picture) in zip(axes, panels.items(), strict=True):
    axis.imshow(picture, cmap="viridis", vmin=0, vmax=1)
    axis.set_title(title)
    axis.set_axis_off()
plt.show()

# %%
# Pixel by pixel, parts of the wall behind the left shoulder are taken for the person, and dark
# parts of the collar for background. The field has a border as short as the colours allow.
