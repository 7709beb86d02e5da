"""
Denoising with a random field: methods of inference side by side
================================================================

A fifth of the pixels of a black and white image are flipped. A random field can use the fact that
neighbouring pixels are mostly alike. With :math:`y_s = \\pm 1` the noisy pixels, :math:`z_s` the
clean ones, and :math:`p` the share of flips, it is

.. math:: P(z \\mid y) \\propto
          \\exp\\Bigl(\\sum_s h\\, y_s z_s + J \\sum_{s \\sim t} z_s z_t\\Bigr),
          \\qquad h = \\tfrac12 \\log \\frac{1 - p}{p}.

One may ask it for the image of least energy, or for each pixel's most probable value, and there are
several ways to find either.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from skimage import data

from sklvm import GridConditionalRandomField
from sklvm.graphs import grid_graph
from sklvm.random_fields.inference import (
    BeliefPropagation,
    GibbsSampling,
    GraphCut,
    IteratedConditionalModes,
    MeanField,
    PairwiseModel,
)

clean = (~data.horse()).astype(int)[::2, ::2]  # 164 × 200 pixels


def noisy(seed, p=0.2):
    flips = np.random.default_rng(seed).random(clean.shape) < p
    return np.where(flips, 1 - clean, clean)


# %%
# One model, five methods
# -----------------------
# A :class:`~sklvm.random_fields.inference.PairwiseModel` holds the costs of labels and of pairs of
# neighbouring labels. Here the coupling is set by hand, :math:`J = 0.6`.

image, J = noisy(0), 0.6
spins = np.array([-1.0, 1.0])
fields = 0.5 * np.log(0.8 / 0.2) * (2 * image - 1)
model = PairwiseModel(
    -fields.reshape(-1, 1) * spins, grid_graph(clean.shape), -J * np.outer(spins, spins)
)


def most_probable(method):
    return lambda: method.marginals(model, random_state=0).sites.argmax(axis=1)


methods = {
    "iterated conditional modes": lambda: IteratedConditionalModes().labels(model),
    "mean field": most_probable(MeanField()),
    "belief propagation": most_probable(BeliefPropagation()),
    "graph cut (least energy)": lambda: GraphCut().labels(model),
    "Gibbs sampling": most_probable(GibbsSampling(300)),
}
results = {}
for name, method in methods.items():
    start = time.perf_counter()
    labels = method()
    seconds = time.perf_counter() - start
    results[name] = labels, 100 * np.mean(labels != clean.ravel()), seconds
    print(f"{name:<28} {results[name][1]:.2f}% wrong, {seconds:.3f} s")

# %%
# Learned instead of set
# ----------------------
# :class:`~sklvm.GridConditionalRandomField` learns the weight of a pixel's own value and the
# coupling from one pair of a noisy and a clean image: the same shape upside down, with other noise.
# Pseudo-likelihood is fast. It conditions on neighbours whose labels are known, and so trusts them
# more than one should trust neighbours whose labels have to be inferred. The likelihood, bounded by
# tree-reweighted belief propagation, takes longer and does not have this fault.

X, y = noisy(1)[::-1].reshape(1, -1).astype(float), clean[::-1].reshape(1, -1)
test = image.reshape(1, -1).astype(float)
for objective in ("pseudo_likelihood", "mle"):
    field = GridConditionalRandomField(
        clean.shape, objective=objective, decision="marginal", max_iter=15, tol=1e-3
    )
    start = time.perf_counter()
    field.fit(X, y)
    seconds = time.perf_counter() - start
    labels = field.predict(test)[0]
    name = f"learned by {objective.replace('_', '-')}".replace("mle", "likelihood")
    results[name] = labels, 100 * np.mean(labels != clean.ravel()), seconds
    print(f"{name:<28} {results[name][1]:.2f}% wrong, J = {field.coupling_[0] / 2:.2f}")

# %%
# Side by side
# ------------

pictures = {
    "original": (clean, None),
    f"noisy, {100 * np.mean(image != clean):.0f}% wrong": (image, None),
}
pictures |= {
    f"{name}\n{error:.2f}% wrong, {seconds:.2g} s": (labels, clean.ravel() != labels)
    for name, (labels, error, seconds) in results.items()
}
figure, axes = plt.subplots(3, 3, figsize=(9, 8), layout="constrained")
for axis, (title, (labels, wrong)) in zip(axes.flat, pictures.items(), strict=True):
    axis.imshow(labels.reshape(clean.shape), cmap="gray_r")
    if wrong is not None:
        rows, columns = np.nonzero(wrong.reshape(clean.shape))
        axis.scatter(columns, rows, s=2, color="C3", linewidths=0)
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()
figure.suptitle("Wrong pixels are red")
plt.show()

# %%
# What the pictures show
# ----------------------
# Iterated conditional modes are very fast, and leave specks: no single pixel of a speck can lower
# the energy by changing alone. The graph cut gives the image of least energy. That image does not
# have the fewest wrong pixels: very many others are nearly as good, and it leaves out the thin
# legs, whose long border costs more than their pixels. The methods that give probabilities agree
# with each other.
