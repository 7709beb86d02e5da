"""
A deep energy model of natural image patches
============================================

Small patches of photographs are far from random, and far from Gaussian: they have edges. This page
fits a Gaussian whose pixels interact with near neighbours only, whitens the patches by it, trains
deep energy models of two layers,

.. math:: \\log p(x) = -\\frac{\\|x\\|^2}{2\\sigma^2} + b^\\top x
          + \\sum_k \\log(1 + e^{w_k^\\top s(Vx + a) + c_k}) - \\log Z,

on whitened and on raw patches, for two values of :math:`\\sigma`, and asks what they know: can they
tell patches of *other* photographs from samples of the Gaussian, and from handwritten digits?

Run as a script it takes about a minute, and writes its picture and its table to a folder.
``--images DIR`` takes your own photographs, and ``--full`` is the exercise at its full size, 50,000
patches of 28×28 pixels. ``docs/studies/natural_patches.py`` has many more settings.
"""

import argparse
import time
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from sklvm import ConstrainedGaussian, DeepEnergyModel, ZCAWhitener
from sklvm.datasets import (
    contrast_normalize,
    load_digit_images,
    load_photographs,
    read_images,
    sample_patches,
    split_images,
)
from sklvm.objectives import DenoisingScoreMatching
from sklvm.optimizers import Adam
from sklvm.plotting import FilterDisplay, LogDensityDisplay

parser = argparse.ArgumentParser(description="A deep energy model of natural image patches.")
parser.add_argument("--images", metavar="DIR", help="photographs; default: eleven that come along")
parser.add_argument("--quick", action="store_true", help="smaller patches, and fewer of them")
parser.add_argument("--full", action="store_true", help="50,000 patches of 28×28 pixels")
parser.add_argument("--output", metavar="DIR", type=Path, default=Path("natural_patches"))
arguments = parser.parse_args()

# Products of so few rows gain little from a second thread, and stall if its processor is busy.
threadpool_limits(limits=1)
begin = time.perf_counter()
SIDE, N_PATCHES, N_DIRECTIONS, N_EPOCHS = 16, 20_000, 100, 20
if arguments.quick:
    SIDE, N_PATCHES, N_DIRECTIONS, N_EPOCHS = 12, 10_000, 60, 15
if arguments.full:
    SIDE, N_PATCHES, N_DIRECTIONS, N_EPOCHS = 28, 50_000, 150, 20

# %%
# Patches
# -------
# A third of the photographs is held out as a whole: patches of one photograph overlap. All patches
# have the same mean and contrast. A little noise keeps patches of one even colour, as saturated
# photographs have them, from being points of infinite density.

images = read_images(arguments.images, downscale=2) if arguments.images else load_photographs()
training, held_out = split_images(images, 0.3, random_state=0)
rng = np.random.default_rng(0)


def prepare(patches):
    patches = contrast_normalize(patches)
    return patches + np.float32(0.02) * rng.standard_normal(patches.shape, dtype=np.float32)


patches = prepare(sample_patches(training, SIDE, N_PATCHES, random_state=0))
natural = prepare(sample_patches(held_out, SIDE, 2000, random_state=1))
digits = prepare(load_digit_images(image_shape=SIDE).data[:2000])
print(f"{len(patches):,} patches of {SIDE}×{SIDE} pixels from {', '.join(training)}")
print(f"held out: {', '.join(held_out)}")

# %%
# A Gaussian with few interactions
# --------------------------------
# A pixel interacts with those at a distance of at most two. The whitener fits this Gaussian, and
# keeps the leading principal directions of its covariance: the others hold little but noise.

lattice = ConstrainedGaussian("lattice", image_shape=(SIDE, SIDE), radius=2)
whitener = ZCAWhitener("pca", n_components=N_DIRECTIONS, covariance_estimator=lattice).fit(patches)
gaussian = whitener.covariance_estimator_
samples = prepare(gaussian.sample(2000, random_state=0))
sets = {"natural": natural, "Gaussian": samples, "digits": digits}
print(f"Gaussian: {gaussian.score(natural):.1f} nats for a held-out patch")

# %%
# Four models
# -----------
# They are trained by denoising score matching: a model is to point back from a noisy patch to the
# patch itself, which needs no log Z.


def fit_model(points, sigma):
    model = DeepEnergyModel(
        64,
        hidden_layer_sizes=(64 if arguments.quick else 128,),
        sigma=sigma,
        objective=DenoisingScoreMatching(noise_level=0.4 * float(points.std())),
        optimizer=Adam(1e-2, schedule="cosine"),
        max_iter=N_EPOCHS,
        random_state=0,
    )
    with warnings.catch_warnings():  # of chains that are too few: the table has their number
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(points).estimate_log_partition()


models = {}
for whitened in (True, False):
    for sigma in (1.0, 0.1):
        name = f"{'whitened' if whitened else 'raw'}, σ = {sigma:g}"
        models[name] = fit_model(whitener.transform(patches) if whitened else patches, sigma)
        print(f"{name}: trained after {time.perf_counter() - begin:.0f} s")

# %%
# Log-densities of patches
# ------------------------
# Under the Gaussian :math:`g` the whitened coordinates :math:`y` are standard normal, and
# independent of the directions that are left out. A model :math:`p_y` of them therefore makes the
# density :math:`\log p(x) = \log g(x) + \log p_y(y) - \log N(y; 0, I)` of all pixels, so that
# whitened models, raw ones and the Gaussian compare.


def log_density(name, model, patches):
    if name.startswith("raw"):
        return model.score_samples(patches)
    y = whitener.transform(patches)
    log_normal = -0.5 * ((y**2).sum(axis=1) + y.shape[1] * np.log(2 * np.pi))
    return gaussian.score_samples(patches) + model.score_samples(y) - log_normal


log_gaussian = {of: gaussian.score_samples(rows) for of, rows in sets.items()}
log_p = {
    name: {of: log_density(name, model, rows) for of, rows in sets.items()}
    for name, model in models.items()
}

# %%
# Pictures
# --------
# *Top:* filters of the first layer, strongest first. *Middle:* how much more probable the model
# finds a patch than the Gaussian does. *Bottom:* modes that the model climbs to from samples of
# the Gaussian.

figure, axes = plt.subplots(3, 4, figsize=(14, 9.5), layout="constrained")
for (name, model), (top, middle, bottom) in zip(models.items(), axes.T, strict=True):
    raw = name.startswith("raw")
    filters = model.coefs_[0] if raw else model.coefs_[0] @ whitener.mixing_.T
    strongest = np.argsort(-np.linalg.norm(model.coefs_[0], axis=1))[:49]
    FilterDisplay(filters[strongest], (SIDE, SIDE)).plot(top)
    top.set_title(name)
    ratio = {of: scores - log_gaussian[of] for of, scores in log_p[name].items()}
    LogDensityDisplay(ratio).plot(middle)
    middle.set_xlabel("log-density minus that of the Gaussian (nats)")
    middle.legend(loc="upper right")
    modes, _ = model.modes(samples[:16] if raw else whitener.transform(samples[:16]))
    FilterDisplay(modes if raw else whitener.inverse_transform(modes), (SIDE, SIDE)).plot(bottom)
    bottom.set_title("modes")

# %%
# The table
# ---------
# Mean and standard deviation of log p in nats, and the area under the ROC curve: how often a
# natural patch of a held-out photograph scores higher than another thing, by log p and by its
# ratio to the Gaussian.


def area(scores, other):
    labels = np.repeat([1, 0], [len(scores["natural"]), len(scores[other])])
    return roc_auc_score(labels, np.concatenate([scores["natural"], scores[other]]))


lines = [
    "| log p (nats) | "
    + " | ".join(sets)
    + " | AUC: Gaussian | digits | AUC of the ratio: Gaussian "
    "| digits | chains that count |",
    "|---" * 9 + "|",
]
for name, scores in {"Gaussian": log_gaussian, **log_p}.items():
    ratio = {of: values - log_gaussian[of] for of, values in scores.items()}
    cells = [f"{values.mean():.0f} ± {values.std():.0f}" for values in scores.values()]
    cells += [f"{area(scores, other):.2f}" for other in ("Gaussian", "digits")]
    if name in models:
        cells += [f"{area(ratio, other):.2f}" for other in ("Gaussian", "digits")]
        cells += [f"{models[name].log_partition_effective_sample_size_:.0f} of 100"]
    lines.append("| " + " | ".join([name, *cells] + [""] * (8 - len(cells))) + " |")
arguments.output.mkdir(parents=True, exist_ok=True)
figure.savefig(arguments.output / "natural_patches.png")
(arguments.output / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
print("\n".join(lines), f"{time.perf_counter() - begin:.0f} s; see {arguments.output}", sep="\n")

# %%
# What to see
# -----------
# On whitened patches with σ = 1 the filters are edges and bars, each at a place and at an angle,
# and the ratio to the Gaussian tells natural patches from its samples, which have the same
# covariance. With σ = 0.1 the first term of the energy outweighs all others on whitened patches.
# Raw patches leave the correlations to hidden units that are too few for them, and log Z of such
# models rests on few chains.
