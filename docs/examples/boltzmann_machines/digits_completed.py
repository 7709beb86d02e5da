"""
Completing digits, and telling letters apart
============================================

A density of images answers more than one question. A :class:`~sklvm.BernoulliRBM` of handwritten
digits fills in pixels that it does not see, by sampling with the others clamped; and its
log-density says how likely an image is to be a digit at all.
"""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.metrics import roc_auc_score

from sklvm import BernoulliRBM
from sklvm.datasets import load_digit_images
from sklvm.plotting import FilterDisplay

# %%
# The machine
# -----------
# 4,000 digits train it and 1,000 are kept for later, each pixel drawn once with its grey level as
# probability. A tenth of the 4,000 watches the free-energy gap, which tells that they are few for
# 200 × 784 weights: it grows to 11 nats, about as far as the log-likelihoods are apart.

rng = np.random.default_rng(0)
grey = rng.permutation(load_digit_images().data)
bits = (rng.random(grey.shape) < grey).astype(np.float32)
train, test = bits[:4000], bits[4000:]
machine = BernoulliRBM(200, max_iter=40, weight_decay=1e-4, free_energy_gap=True, random_state=0)
machine.fit(train)
print(f"test {machine.score(test):.1f} nats a digit, training {machine.score(train):.1f}")
print(f"standard error of log Z {machine.log_partition_std_err_:.2f}")
print(f"free-energy gap {machine.history_['free_energy_gap'][-1]:.1f} nats")

# %%
# Filling in
# ----------
# ``sample`` holds units at the values of ``given`` and lets those move that are NaN, all chains in
# parallel; ``impute`` takes the mean of such draws. Rows show the digits, those with the lower half
# hidden, a draw and the mean given the rest, and the same for a hidden square.

originals = test[:10]
lower_half = np.arange(784) >= 392
square = np.zeros((28, 28), dtype=bool)
square[8:20, 8:20] = True
rows = [originals]
for hidden in (lower_half, square.ravel()):
    given = np.where(hidden, np.nan, originals).astype(np.float32)
    draws = machine.sample(10, given=given, random_state=0)
    means = machine.impute(given, random_state=0)
    rows += [np.where(hidden, 0.5, originals), draws, means]

figure, axis = plt.subplots(figsize=(9, 6.5), layout="constrained")
FilterDisplay(np.vstack(rows)).plot(
    axis, n_columns=10, scaling="none", cmap="gray_r", vmin=0, vmax=1
)
plt.show()

# %%
# Digits against letters
# ----------------------
# Letters of the fonts that come with matplotlib, drawn at the size of the digits and centred, in
# the same way turned into bits.

fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
faces = ["DejaVuSans-Bold", "DejaVuSans-BoldOblique", "DejaVuSerif-Bold", "cmb10"]


def letter(character, face):
    font = ImageFont.truetype(fonts / f"{face}.ttf", 22)
    image = Image.new("L", (56, 56))
    ImageDraw.Draw(image).text((28, 28), character, fill=255, font=font, anchor="mm")
    ink = np.asarray(image, dtype=np.float32) / 255
    centre = [round(np.average(np.arange(56), weights=ink.sum(axis=axis))) for axis in (1, 0)]
    top, left = (c - 14 for c in centre)
    return ink[top : top + 28, left : left + 28].ravel()


alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrtuvwxy"
letters = np.array([letter(character, face) for face in faces for character in alphabet])
letters = (rng.random(letters.shape) < letters).astype(np.float32)
means = np.clip(train.mean(axis=0), 1e-3, 1 - 1e-3)


def log_independent(X):
    """log-density of independent pixels with the means of the digits."""
    return X @ np.log(means) + (1 - X) @ np.log(1 - means)


def area(score):
    """Of the ROC curve: how often a digit scores higher than a letter."""
    values = np.concatenate([score(test), score(letters)])
    return roc_auc_score(np.repeat([1, 0], [len(test), len(letters)]), values)


SCORES = {
    "log p": machine.score_samples,
    "log p, independent pixels": log_independent,
    "their difference": lambda X: machine.score_samples(X) - log_independent(X),
    "less ink": lambda X: -X.sum(axis=1),
}
areas = {name: area(score) for name, score in SCORES.items()}
for name, value in areas.items():
    print(f"{name:26} {value:.2f}")

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
for axis, name in zip(axes, ("log p", "their difference"), strict=True):
    for label, rows in (("digits", test), ("letters", letters)):
        axis.hist(SCORES[name](rows), 50, density=True, alpha=0.6, label=label)
    axis.set(xlabel=f"{name}, nats", yticks=[])
    axis.spines[["top", "right", "left"]].set_visible(False)
axes[0].legend()
plt.show()

# %%
# Letters are strokes of a pen too, and to a machine of 4,000 digits they are hardly less likely
# than digits: 0.58 is little above the 0.5 of chance. Most of log p is about how much ink there
# is, and where. What that does not explain, the difference to independent pixels, tells more, 0.72.
#
# Clothes are no such trouble. A machine of 100 hidden units, trained for 10 epochs on the 60,000
# digits of MNIST, has 0.9994 by log p with the 10,000 test images of Fashion-MNIST for letters;
# there independent pixels have 0.986, and the difference is the poorer score, 0.86.
