"""
Recall of letters, and how many patterns fit
============================================

A :class:`~sklvm.HopfieldNetwork` stores patterns as minima of its energy, and finds them again from
parts of them. How many it can hold depends on the rule by which patterns become couplings, and on
how alike they are.
"""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sklvm import HopfieldNetwork
from sklvm.plotting import FilterDisplay

# %%
# Letters
# -------
# Eight letters of 24 × 24 pixels, as spins of −1 (white) and 1 (black).

SIDE = 24
font_file = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf")
font = ImageFont.truetype(str(font_file), 24)


def draw(letter):
    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).text((SIDE // 2, SIDE // 2), letter, 255, font, anchor="mm")
    return np.where(np.asarray(image).ravel() > 127, 1.0, -1.0)


letters = np.array([draw(letter) for letter in "AEHKMSTX"])

# %%
# Each comes with 20% of its pixels wrong, and each with its lower half white. In the second case
# the upper half is known to be right: ``free`` says which units may change, and the others are
# clamped. By the Hebbian rule all ends are the same mixture of the letters, as these have most of
# their white in common: random patterns would be recalled, but these are far from random. The
# pseudo-inverse rule takes off what they have in common, and brings back each letter from either
# start.

rng = np.random.default_rng(0)
noisy = np.where(rng.random(letters.shape) < 0.2, -letters, letters)
lower = np.arange(SIDE**2) >= SIDE**2 // 2
halves = np.where(lower, -1.0, letters)

hebbian = HopfieldNetwork("hebbian", states="spin").fit(letters)
pseudo_inverse = HopfieldNetwork("pseudo_inverse", states="spin").fit(letters)
rows = {
    "20% wrong": noisy,
    "Hebbian": hebbian.recall(noisy),
    "pseudo-inverse": pseudo_inverse.recall(noisy),
    "lower half lost": halves,
    "pseudo-inverse, upper half clamped": pseudo_inverse.recall(halves, free=lower),
}
for name, images in rows.items():
    n_right = np.all(images == letters, axis=1).sum()
    print(f"{name:>35}: {n_right} of 8 right, {np.mean(images != letters):.1%} of pixels wrong")

figure, axes = plt.subplots(len(rows), 1, figsize=(7, 6), layout="constrained")
for axis, (name, images) in zip(axes, rows.items(), strict=True):
    FilterDisplay(images).plot(axis, n_columns=8, scaling="none", cmap="gray_r", vmin=-1, vmax=1)
    axis.set_title(name, fontsize=10)
plt.show()

# %%
# Capacity
# --------
# With random patterns of 400 units, from 10% wrong bits: the share of patterns that come back with
# an overlap of more than 0.9, and exactly. The Hebbian rule has them back with few errors up to
# about 0.14 patterns a unit, where its minima vanish all at once (Amit, Gutfreund and Sompolinsky,
# 1985); not exactly, except for a few patterns. Storkey's rule holds about 0.3, and the pseudo-
# inverse 0.4: at half a pattern a unit its minima get too narrow for starts that are 10% away.

d, loads = 400, np.array([0.03, 0.06, 0.09, 0.12, 0.138, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6])
RULES = {"hebbian": "Hebbian", "storkey": "Storkey", "pseudo_inverse": "pseudo-inverse"}
close, exact = ({rule: [] for rule in RULES} for _ in range(2))
for load in loads:
    patterns = np.where(rng.random((round(load * d), d)) < 0.5, -1.0, 1.0)
    starts = np.where(rng.random(patterns.shape) < 0.1, -patterns, patterns)
    for rule in RULES:
        network = HopfieldNetwork(rule, states="spin").fit(patterns)
        overlaps = np.mean(network.recall(starts) * patterns, axis=1)
        close[rule].append(np.mean(overlaps > 0.9))
        exact[rule].append(np.mean(overlaps == 1))

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
for axis, shares, title in zip(
    axes, (close, exact), ("overlap above 0.9", "every bit right"), strict=True
):
    for rule, name in RULES.items():
        axis.plot(loads, shares[rule], "o-", markersize=4, label=name)
    axis.axvline(0.138, color="grey", linewidth=1, linestyle=":")
    axis.set(title=title, xlabel="patterns stored, per unit")
axes[0].set_ylabel("share of patterns recalled")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()
