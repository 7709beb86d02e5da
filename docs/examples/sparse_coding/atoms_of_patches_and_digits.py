"""
Atoms of natural patches, and parts of digits
=============================================

Olshausen and Field (1996) asked which atoms give natural images sparse codes, and found edges:
oriented, of all sizes, as the cells of the primary visual cortex prefer them. Here
:class:`~sklvm.DictionaryLearner` finds them in seconds, online. With non-negative atoms and codes
the same estimator takes handwritten digits to pieces.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import DictionaryLearner
from sklvm.datasets import load_digit_images, load_photographs, sample_patches
from sklvm.plotting import FilterDisplay

SIDE = 12

# %%
# Patches of photographs
# ----------------------
# Patches lose their mean, and flat ones are left out; the others are scaled to norm 1, so that α
# means the same for all of them.

patches = sample_patches(load_photographs(), (SIDE, SIDE), 40_000, random_state=0)
patches -= patches.mean(axis=1, keepdims=True)
patches = patches[patches.std(axis=1) > 0.02][:20_000]
patches /= np.linalg.norm(patches, axis=1, keepdims=True)

learner = DictionaryLearner(
    196, alpha=0.15, batch_size=1024, max_iter=10, tol=0, sparse_output=True, random_state=0
).fit(patches)
print("objective of each pass:", learner.history_["objective"].round(4))

# %%
# How many of them are edges
# --------------------------
# Three numbers for each atom: the share of its pixels that hold 90% of its energy, how much of its
# power spectrum lies within 30° of its main direction, and how often codes use it. A third of a
# white spectrum (60° of 180°) lies in any such sector, and a little more in the best one.


def spread(atoms):
    """Share of the pixels that hold 90% of the energy."""
    energies = np.sort(atoms**2, axis=1)[:, ::-1].cumsum(axis=1)
    return np.mean(energies < 0.9 * energies[:, -1:], axis=1)


def orientation(atoms):
    """Share of the spectrum within 30° of the direction that has most of it."""
    images = atoms.reshape(-1, SIDE, SIDE)
    power = np.abs(np.fft.fft2(images, s=(32, 32))) ** 2
    frequencies = np.fft.fftfreq(32)
    angles = np.angle(frequencies + 1j * frequencies[:, np.newaxis])
    power[:, 0, 0] = 0
    directions = np.exp(2j * np.linspace(0, np.pi, 36, endpoint=False))
    near = np.cos(2 * angles - np.angle(directions)[:, np.newaxis, np.newaxis]) > 0.5
    shares = np.einsum("kij,dij->kd", power, near) / power.sum(axis=(1, 2))[:, np.newaxis]
    return shares.max(axis=1)


noise = np.random.default_rng(0).standard_normal(learner.components_.shape)
codes = learner.transform(patches)
for name, atoms in {"learned atoms": learner.components_, "random directions": noise}.items():
    print(
        f"{name:18} spread {np.median(spread(atoms)):.2f} of the pixels, "
        f"oriented {np.median(orientation(atoms)):.2f} (medians)"
    )
usage = np.diff(codes.tocsc().indptr) / len(patches)
print(
    f"a code has {codes.nnz / len(patches):.1f} of {len(usage)} atoms; an atom is used by "
    f"{usage.min():.1%} to {usage.max():.1%} of the patches"
)

# %%
# Atoms are twice as oriented as random directions. By spread they do not differ from these: most
# edges and lines run through all of so small a patch. The sheet has them in order of use: slopes
# and broad edges first, then lines at every angle and place, and few textures.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
FilterDisplay(learner.components_[np.argsort(-usage)]).plot(left)
left.set_title("atoms, the most used first")
FilterDisplay(patches[:196]).plot(right)
right.set_title("patches")
plt.show()

# %%
# Parts of digits
# ---------------
# Ink only adds up. With ``positive`` and ``positive_dict`` atoms are ink too, and α determines
# their size: where coefficients are expensive, a digit consists of a few whole shapes; where they
# are cheap, it consists of many parts, down to single strokes.

digits = load_digit_images().data
figure, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
for axis, alpha in zip(axes, [1.0, 0.1], strict=True):
    model = DictionaryLearner(
        100,
        alpha=alpha,
        positive=True,
        positive_dict=True,
        batch_size=500,
        max_iter=8,
        tol=0,
        sparse_output=True,
        random_state=0,
    ).fit(digits)
    Z = model.transform(digits)
    error = np.sum((digits - model.inverse_transform(Z)) ** 2) / np.sum(digits**2)
    print(
        f"alpha={alpha}: {Z.nnz / len(digits):.1f} of 100 atoms a digit, {1 - error:.1%} of the "
        f"ink's energy; atoms spread over {np.median(spread(model.components_)):.1%} of the pixels"
    )
    FilterDisplay.from_estimator(model, ax=axis, cmap="gray_r", vmin=0)
    axis.set_title(f"α = {alpha}")
plt.show()
