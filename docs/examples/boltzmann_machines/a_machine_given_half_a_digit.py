"""
A Boltzmann machine given half a digit
======================================

Given some of its units, the others are a Boltzmann machine again. So a fully visible
:class:`~sklvm.BoltzmannMachine` completes images, says how probable a completion is, and recalls
the nearest typical image, all from one matrix of couplings.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from sklvm import BoltzmannMachine
from sklvm.plotting import FilterDisplay

# %%
# The machine
# -----------
# Digits of 8 × 8 bits. Pseudo-likelihood is minimised by L-BFGS in seconds, without any sampling.
# The likelihood of test images, with :math:`\log Z` by annealing, is 7 nats above that of
# independent pixels.

rng = np.random.default_rng(0)
X = rng.permutation((load_digits().data > 7.5).astype(float))
train, test = X[:1400], X[1400:]
machine = BoltzmannMachine(random_state=0).fit(train)
independent = BoltzmannMachine(structure="diagonal").fit(train)
for name, model in (("machine", machine), ("independent pixels", independent)):
    print(f"{name:>20}: {model.score(test):.2f} nats a test image")

# %%
# What is coupled
# ---------------
# Couplings of four pixels with all others: strong and positive with the neighbours along strokes,
# negative across them.

pixels = [18, 27, 36, 45]
figure, axis = plt.subplots(figsize=(7, 2.2), layout="constrained")
FilterDisplay(machine.coupling_[pixels]).plot(axis, n_columns=4, scaling="common")
axis.set_title("couplings of a pixel with all others")
plt.show()

# %%
# The lower half given the upper
# ------------------------------
# ``impute`` draws the missing pixels, or takes their means, by Gibbs sampling with the others
# clamped. Rows show the digits, their upper halves, two draws, and the mean.

lower = np.arange(64) >= 32
halves = np.where(lower, np.nan, test[:12])
draws = [machine.impute(halves, method="draw", random_state=seed) for seed in (0, 1)]
means = machine.impute(halves, random_state=0)
rows = [test[:12], np.where(lower, 0.5, test[:12]), *draws, means]
figure, axis = plt.subplots(figsize=(8, 3.8), layout="constrained")
FilterDisplay(np.vstack(rows)).plot(
    axis, n_columns=12, scaling="none", cmap="gray_r", vmin=0, vmax=1
)
plt.show()

all_means = machine.impute(np.where(lower, np.nan, test), random_state=0)
wrong = np.mean((all_means > 0.5) != test, axis=0)[lower].mean()
guess = np.mean((train.mean(axis=0) > 0.5) != test, axis=0)[lower].mean()
print(f"wrong bits in the lower half: {wrong:.1%}, of each pixel's more frequent value {guess:.1%}")

# %%
# How probable is a completion?
# -----------------------------
# The last two rows of pixels given the other six: a sum over :math:`2^{16}` states, exactly. Where
# the last two rows are those of another image, they are less probable by several nats.

last = np.arange(64) >= 48
right = machine.conditional_log_proba(test[:100], last)
mixed = np.where(last, np.roll(test[:100], 1, axis=0), test[:100])
wrong_end = machine.conditional_log_proba(mixed, last)
print(f"log p(last rows | rest): {right.mean():.1f} nats, of another image {wrong_end.mean():.1f}")

figure, axis = plt.subplots(figsize=(6, 3), layout="constrained")
bins = np.linspace(-30, 0, 31)
axis.hist(right, bins, alpha=0.6, label="of the image itself")
axis.hist(wrong_end, bins, alpha=0.6, label="of another image")
axis.set(xlabel="log p(last two rows | the others), in nats", ylabel="images")
axis.legend()
plt.show()

# %%
# Recall
# ------
# ``modes`` moves unit after unit to its more probable state, as in a Hopfield network, but with
# couplings that were learned. From images of which 10% of the bits are wrong it goes to local
# maxima of the density: typical digits, not necessarily those it came from.

noisy = np.abs(test[:12] - (rng.random((12, 64)) < 0.1))
modes, log_p = machine.modes(noisy)
print(f"{machine.score(noisy):.1f} nats before, {log_p.mean():.1f} after")
figure, axis = plt.subplots(figsize=(8, 2.4), layout="constrained")
FilterDisplay(np.vstack([test[:12], noisy, modes])).plot(
    axis, n_columns=12, scaling="none", cmap="gray_r", vmin=0, vmax=1
)
plt.show()
