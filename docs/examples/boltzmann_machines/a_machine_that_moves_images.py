"""
A machine that moves images
===========================

A :class:`~sklvm.GatedRBM` sees pairs of images and learns what can happen from one to the other.
It never sees what is done by itself, only its results. What its hidden units find in one pair can
then be done to any other image (Memisevic and Hinton, "Learning to represent spatial
transformations with factored higher-order Boltzmann machines", Neural Computation 22, 2010).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from sklvm import GatedRBM
from sklvm.plotting import FilterDisplay

# %%
# Pairs of dots
# -------------
# Random dots, and the same dots shifted in a circle by up to two pixels each way: 25 shifts. Dots
# have no shapes, so that nothing but the shift can be learned.

rng = np.random.default_rng(0)


def shifted(images, shifts):
    return np.stack(
        [
            np.roll(image.reshape(8, 8), shift, axis=(0, 1)).ravel()
            for image, shift in zip(images, shifts, strict=True)
        ]
    )


dots = (rng.random((20_000, 64)) < 0.3).astype(np.float32)
shifts = rng.integers(-2, 3, (len(dots), 2))
pairs = np.hstack([dots, shifted(dots, shifts)])

model = GatedRBM(40, 120, visible="binary", max_iter=20, partition="none", random_state=0)
model.fit(pairs[:-2000])

# %%
# What was done
# -------------
# The hidden units of new pairs tell the shift, whatever the dots are.

new, new_shifts = pairs[-2000:], shifts[-2000:]
Z, labels = model.transform(new), new_shifts @ [5, 1]
reader = LogisticRegression(max_iter=300).fit(Z[:1000], labels[:1000])
read = reader.score(Z[1000:], labels[1000:])
rebuilt = 2 * np.mean(model.reconstruct(new).round() != new)
print(f"shift read from hidden units: {read:.1%}; wrong bits of the rebuilt image: {rebuilt:.2%}")

# %%
# Doing it to other images
# ------------------------
# Digits, of which the machine has never seen one. The shift comes from a pair of dots.

digits = (load_digits().data[:2000] > 7.5).astype(np.float32)[: len(new)]
pairs_of_digits = new[: len(digits)]
moved = model.transfer(pairs_of_digits, digits)
expected = shifted(digits, new_shifts[: len(digits)])
wrong = np.mean(moved.round() != expected)
print(f"wrong bits of moved digits: {wrong:.2%}")

figure, axes = plt.subplots(5, 8, figsize=(9, 6), layout="constrained")
titles = ("dots", "moved dots", "digit", "moved by the machine", "moved indeed")
for column in range(8):
    images = (
        new[column, :64],
        new[column, 64:],
        digits[column],
        moved[column],
        expected[column],
    )
    for axis, image in zip(axes[:, column], images, strict=True):
        axis.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
for axis, title in zip(axes[:, 0], titles, strict=True):
    axis.set_ylabel(title, rotation=0, ha="right", va="center")
plt.show()

# %%
# Waves
# -----
# The filters that do this are waves. A shift turns the phase of every wave and leaves its size, so
# that products of waves of both images, one of each and a quarter of a period apart, tell the
# angle. The machine has found the Fourier transform.

power = np.abs(np.fft.fft2(model.input_factors_.reshape(-1, 8, 8))) ** 2
power[:, 0, 0] = 0
share = np.sort(power.reshape(len(power), -1), axis=1)[:, -2:].sum(axis=1)
share /= power.sum(axis=(1, 2))
best = np.argsort(share)[::-1][:64]
print(f"median share of a filter's power in one pair of frequencies: {np.median(share):.0%}")

figure, axes = plt.subplots(1, 2, figsize=(10, 5.4), layout="constrained")
for axis, filters, title in (
    (axes[0], model.input_factors_[best], "filters of the first image"),
    (axes[1], model.output_factors_[best], "filters of the second image"),
):
    FilterDisplay(filters, image_shape=(8, 8)).plot(axis)
    axis.set_title(title)
plt.show()
