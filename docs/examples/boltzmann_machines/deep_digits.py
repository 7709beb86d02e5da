"""
Shallow and deep Boltzmann machines of digits
=============================================

A restricted Boltzmann machine, a deep belief network and a deep Boltzmann machine learn the same
handwritten digits with the same number of steps. The page shows what they draw, what the second
layer of hidden units responds to, how the deep machine completes half a digit, and how far its
bound is from the exact density where that can be computed.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from sklvm import BernoulliRBM, DeepBeliefNetwork, DeepBoltzmannMachine
from sklvm.datasets import load_digit_images

digits = load_digit_images()
rng = np.random.default_rng(0)
order = rng.permutation(len(digits.data))
bits = (rng.random(digits.data.shape) < digits.data).astype(np.float32)[order]
labels = digits.target[order]
X, X_test, y, y_test = bits[:4000], bits[4000:], labels[:4000], labels[4000:]

# %%
# Three models, one budget
# ------------------------
# Each makes 40 passes over 4,000 digits: the network 20 for each layer, the pretrained deep
# machine 10 for each layer of its stack and 20 for all layers together.

EPOCHS, UNITS = 40, 100
settings = {"max_iter": EPOCHS, "random_state": 0}
layer = BernoulliRBM(max_iter=EPOCHS // 2)
models = {
    "RBM 100": BernoulliRBM(UNITS, **settings),
    "DBN 100-100": DeepBeliefNetwork((UNITS, UNITS), layer, random_state=0),
    "DBM 100-100": DeepBoltzmannMachine((UNITS, UNITS), **settings),
    "DBM, pretrained": DeepBoltzmannMachine((UNITS, UNITS), pretrain=True, **settings),
}
for model in models.values():
    model.fit(X)

# %%
# Draws
# -----
# Every draw is the end of a chain of its own, which annealing has brought to the model.

fig, axes = plt.subplots(len(models), 12, figsize=(9, 3.2), layout="constrained")
for row, (name, model) in zip(axes, models.items(), strict=True):
    draws = model.sample(12, n_steps=500, random_state=1)
    for axis, draw in zip(row, draws, strict=True):
        axis.imshow(draw.reshape(28, 28), cmap="gray_r")
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name.replace(", ", ",\n"), rotation=0, ha="right", va="center")
fig.suptitle("Draws")

# %%
# What the second layer responds to
# ---------------------------------
# A unit of the second layer weighs filters of the first. Below are the sums of the first layer's
# filters with these weights, for the units whose means vary most over the data: strokes become
# parts of digits. The number below a model is the standard deviation over the data of a unit's
# mean, averaged over the second layer: of a layer that has died it is 0.


def means_of_second_layer(model):
    every = model.transform(X[:1000])
    return every[:, -UNITS:]


fig, axes = plt.subplots(3, 12, figsize=(9, 2.6), layout="constrained")
for row, name in zip(axes, list(models)[1:], strict=True):
    model = models[name]
    spreads = means_of_second_layer(model).std(axis=0)
    filters = model.coefs_[1] @ model.coefs_[0]
    for axis, unit in zip(row, np.argsort(-spreads)[:12], strict=True):
        scale = np.abs(filters[unit]).max()
        axis.imshow(filters[unit].reshape(28, 28), cmap="RdBu_r", vmin=-scale, vmax=scale)
        axis.set(xticks=[], yticks=[])
    label = f"{name}\n{spreads.mean():.2f}"
    row[0].set_ylabel(label, rotation=0, ha="right", va="center")
fig.suptitle("Filters of the second layer")

# %%
# Half a digit
# ------------
# The lower half is drawn, or averaged over draws, given the upper one. Units that are given stay
# clamped all along the chain.

deep = models["DBM 100-100"]
shown = X_test[:12]
halves = np.where(np.arange(784) < 392, shown, np.nan)
rows = {
    "digit": shown,
    "given": np.where(np.isnan(halves), 0.3, halves),
    "mean": deep.impute(halves, random_state=0),
    "a draw": deep.impute(halves, method="draw", random_state=0),
}
fig, axes = plt.subplots(len(rows), 12, figsize=(9, 3.2), layout="constrained")
for row, (name, images) in zip(axes, rows.items(), strict=True):
    for axis, image in zip(row, images, strict=True):
        axis.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
fig.suptitle("Lower halves completed by the deep machine")

# %%
# Bound and density
# -----------------
# With 12 units a layer, log p is a sum over 2¹² states, and everything can be compared with it:
# the deep machine's mean-field bound, and that of the network by its upward pass. The second layer
# makes both better than the machine of one layer. The network's bound hides it: greedy training
# does not look after the posterior, while the deep machine's keeps its bound tight. Compare
# networks by ``score_samples``.

small = {
    "RBM 12": BernoulliRBM(12, max_iter=EPOCHS, random_state=0).fit(X),
    "DBN 12-12": DeepBeliefNetwork(
        (12, 12), BernoulliRBM(max_iter=EPOCHS // 2), random_state=0
    ).fit(X),
    "DBM 12-12": DeepBoltzmannMachine((12, 12), max_iter=EPOCHS, random_state=0).fit(X),
}
exact = {
    "RBM 12": small["RBM 12"].score(X_test),
    "DBN 12-12": small["DBN 12-12"].score(X_test),
    "DBM 12-12": small["DBM 12-12"].log_density(X_test).mean(),
}
bound = {
    "DBN 12-12": small["DBN 12-12"].bound(X_test).mean(),
    "DBM 12-12": small["DBM 12-12"].score(X_test),
}
for name in exact:
    text = f", bound {bound[name]:.2f}" if name in bound else ""
    print(f"{name:12} log p {exact[name]:.2f}{text}")

fig, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
places = np.arange(3)
ax.scatter(list(exact.values()), places, label="log p, exact", zorder=2)
ax.scatter([bound["DBN 12-12"], bound["DBM 12-12"]], places[1:], marker="|", s=150, label="bound")
ax.set(yticks=places, yticklabels=list(exact), ylim=(-0.5, 2.5), xlabel="nats a test digit")
ax.locator_params(axis="x", nbins=6)
ax.set_title("Bound and exact density of small models")
fig.legend(loc="outside right upper")

# %%
# A classifier on top
# -------------------
# Logistic regression takes the means of the hidden units. "all" puts both layers side by side. On
# these 4,000 digits depth is worth nothing to it: one layer of a hundred units has about 90% right,
# both layers of the deep machine one or two points less, as has one layer of two hundred. The
# second layer is there to make the density better, and a linear classifier has no use for what
# that takes.

both = clone(deep).set_params(output_layer="all").fit(X)
features = {
    "pixels": lambda rows: rows,
    "RBM 100": models["RBM 100"].transform,
    "RBM 200": BernoulliRBM(2 * UNITS, **settings).fit(X).transform,
    "DBM 100-100, both layers": both.transform,
}
for name, transform in features.items():
    regression = LogisticRegression(C=1.0, max_iter=500).fit(transform(X), y)
    print(f"{name:26} {regression.score(transform(X_test), y_test):.3f}")
