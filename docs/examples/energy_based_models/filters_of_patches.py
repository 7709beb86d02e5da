"""
Filters of natural patches
==========================

A :class:`~sklvm.GaussianRBM` of patches of photographs finds what the first cells of the visual
cortex respond to: short edges and bars, each at a place and at an angle. Three things matter for
that, after Melchior, Wang and Wiskott (PLoS ONE 12(2), 2017): the patches are whitened, so that
no filter is spent on how light or how smooth they are; the start is safe, which the defaults see
to; and contrastive divergence serves better here than persistent chains.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklvm import GaussianRBM, ZCAWhitener
from sklvm.datasets import load_photographs, sample_patches
from sklvm.plotting import FilterDisplay

# %%
# Patches
# -------
# 12×12 pixels from eleven photographs, without their mean, and without those that are flat. The
# whitener adds a thousandth to each variance: directions that hold less are mostly noise, and are
# left small.

patches = sample_patches(load_photographs(), 12, 40_000, random_state=0)
patches -= patches.mean(axis=1, keepdims=True)
patches = patches[patches.std(axis=1) > 0.02]
white = ZCAWhitener(regularization=1e-3).fit_transform(patches)
print(f"{len(white)} patches")

# %%
# Training
# --------
# σ is learned with the rest; only filters are wanted, so that log Z is left out.

model = GaussianRBM(64, objective="cd", max_iter=60, partition="none", random_state=0).fit(white)
activity = model.transform(white).mean(axis=0)
print(f"sigma {model.sigma_:.2f}; a unit is on in {activity.min():.1%} to {activity.max():.1%}")

# %%
# Filters
# -------
# Beside them, as many whitened patches. Most filters are a short edge or bar and nothing else; two
# are shadings, and a few bear the texture of grass or gravel.

figure, axes = plt.subplots(1, 2, figsize=(10, 5.2), layout="constrained")
FilterDisplay(white[:64]).plot(axes[0])
axes[0].set_title("64 whitened patches")
FilterDisplay.from_estimator(model, ax=axes[1])
axes[1].set_title("64 filters")
plt.show()

# %%
# How local, how oriented
# -----------------------
# Two numbers a filter. How much of its energy lies in the best quarter of the patch, a window of
# 6×6 pixels? For energy spread evenly it is a quarter. And how far does its power spectrum lie
# along one line through 0? The length of the power's mean of exp(2iφ), φ the direction, is 1 for a
# grating and 0 for a round blob.


def share_in_a_quarter(filters):
    energy = (filters.reshape(-1, 12, 12) ** 2).cumsum(axis=1).cumsum(axis=2)
    energy = np.pad(energy, ((0, 0), (1, 0), (1, 0)))
    boxes = energy[:, 6:, 6:] - energy[:, :-6, 6:] - energy[:, 6:, :-6] + energy[:, :-6, :-6]
    return boxes.max(axis=(1, 2)) / energy[:, -1, -1]


def orientation(filters):
    power = np.abs(np.fft.fft2(filters.reshape(-1, 12, 12))) ** 2
    angle = np.arctan2(*np.meshgrid(np.fft.fftfreq(12), np.fft.fftfreq(12), indexing="ij"))
    return np.abs((power * np.exp(2j * angle)).sum(axis=(1, 2))) / power.sum(axis=(1, 2))


for name, rows in (("patches", white[:64]), ("filters", model.components_)):
    local, oriented = share_in_a_quarter(rows), orientation(rows)
    print(f"{name}: median {np.median(local):.2f} in a quarter, {np.median(oriented):.2f} oriented")

# %%
# Patches have 0.44 of their energy in a quarter and filters 0.85; orientation is 0.29 and 0.83.
