"""
What tells patches apart
========================

:ref:`The example of natural patches
<sphx_glr_auto_examples_energy_based_models_natural_patches.py>` whitens patches of photographs by
a Gaussian and trains a deep energy model of what is left. Done by the book, with all 784 whitened
directions, :math:`\\sigma = 1` and 64 hidden units, that model tells natural patches from samples
of the Gaussian no better than the Gaussian does. This page asks why, and changes one thing at a
time.

*One density.* Let y be the principal coordinates that are kept, scaled to unit variance under the
Gaussian. It says that y is independent of the other coordinates and N(0, I), and a model of y
replaces that part only:

.. math:: \\log p(x) = \\log p_G(x) + \\bigl[\\log p_\\theta(y) - \\log N(y; 0, I)\\bigr] .

This is normalised in pixels if :math:`p_\\theta` is in y, and the bracket is its *ratio* to the
Gaussian. (With regularisation the Gaussian of y is narrower than I, which the code minds.)

*One measure.* To the Gaussian, y has no property but :math:`\\|y\\|`, and natural patches differ in
contrast so much that this alone tells many. The *norm-matched* AUC is the probability that a
natural patch scores higher than a sample whose norm is the same within 1 %; every natural patch
that has such a partner counts once. Only structure can raise it above 50 %. Stricter still, *own*
samples come from the Gaussian of the held-out patches themselves: not even a covariance that
differs between photographs can tell them.
"""

import argparse
import json
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.utils import Bunch
from threadpoolctl import threadpool_limits

from sklvm import ConstrainedGaussian, DeepEnergyModel, ZCAWhitener, datasets, objectives
from sklvm.optimizers import Adam
from sklvm.plotting import FilterDisplay, LogDensityDisplay

# %%
# Recipes
# -------
# A recipe is the best one but for what it names. Two untrained densities are there to compare: the
# Gaussian of y itself, and independent Laplace variables.

BEST = {
    "structure": "lattice",  # of the Gaussian that whitens
    "normalize": "before",  # makes contrast equal: before whitening, after it, or both
    "n_kept": 150,  # leading principal directions
    "regularization": 0.0,  # of their variances, in mean variances of a pixel
    "objective": "denoising",
    "sigma": "learn",
    "hidden": (256,),
    "hidden_bias": True,
    "n_components": 64,
    "training": 1,  # times the epochs of the study
}
SMALL = {"hidden": (64,)}
TEXTBOOK = SMALL | {"n_kept": None, "sigma": 1.0}
REGULARIZED = {"n_kept": None, "regularization": 0.1}
RECIPES = {
    "Gaussian": {"objective": "Gaussian"},
    "Gaussian, contrast as it is": {"objective": "Gaussian", "normalize": ""},
    "Gaussian, 784 regularised": REGULARIZED | {"objective": "Gaussian"},
    "independent Laplace": {"objective": "Laplace"},
    "textbook, contrast as it is": TEXTBOOK | {"normalize": ""},
    "textbook": TEXTBOOK,
    "textbook, 150 directions": SMALL | {"sigma": 1.0},
    "64 hidden units": SMALL,
    "64, score matching": SMALL | {"objective": "exact"},
    "64, sliced score matching": SMALL | {"objective": "sliced"},
    "64, NCE": SMALL | {"objective": "nce"},
    "64, conditional NCE": SMALL | {"objective": "cnce"},
    "best": {},
    "K = 256": {"n_components": 256},
    "layers of 256 and 64": {"hidden": (256, 64)},
    "no hidden bias": {"hidden_bias": False},
    "σ = 1": {"sigma": 1.0},
    "σ = 1, trained 2×": {"sigma": 1.0, "training": 2},
    "σ = 1, K = 256, 100 kept": {"sigma": 1.0, "n_components": 256, "n_kept": 100},
    "σ = 0.1": {"sigma": 0.1},
    "50 directions": {"n_kept": 50},
    "100 directions": {"n_kept": 100},
    "300 directions": {"n_kept": 300},
    "all 784, regularised": REGULARIZED,
    "contrast as it is": {"normalize": ""},
    "contrast after whitening": {"normalize": "after"},
    "full covariance": {"structure": "full"},
    "full covariance, trained 2×": {"structure": "full", "training": 2},
}
UNTRAINED = {
    "Gaussian": lambda y: -0.5 * np.square(y).sum(axis=1),
    "Laplace": lambda y: -np.sqrt(2) * np.abs(y).sum(axis=1),
}
OBJECTIVES = {
    "denoising": lambda deviation: objectives.DenoisingScoreMatching(0.4 * deviation),
    "exact": lambda _: objectives.ScoreMatching(),
    "sliced": lambda _: objectives.SlicedScoreMatching(),
    "nce": lambda _: objectives.NoiseContrastiveEstimation(5),
    "cnce": lambda _: objectives.ConditionalNoiseContrastiveEstimation(5),
}
QUICK = {"patch_size": 28, "n_patches": 10_000, "epochs": 40, "splits": 2, "scored": 1500}
FULL = {"patch_size": 28, "n_patches": 20_000, "epochs": 20, "splits": 5, "scored": 2000}

# %%
# Patches and whitening
# ---------------------


def all_photographs():
    images = datasets.load_photographs()
    if sporco := find_spec("sporco"):
        folder = Path(sporco.submodule_search_locations[0]) / "data"
        more = datasets.read_images(folder, downscale=2)
        images |= {Path(name).stem: image for name, image in more.items()}
    else:
        print("sporco is not installed: its five photographs are left out.")
    return images


def cut_patches(images, held_out, settings, structure, normalize):
    """Sets of patches of one split, in pixels and all in the same form, and their Gaussian."""
    size, n_scored = settings["patch_size"], settings["scored"]
    rng = np.random.default_rng(0)

    def cut(images, n_patches):
        return datasets.sample_patches(images, size, n_patches, random_state=0)

    def prepare(patches):
        patches = datasets.contrast_normalize(patches) if normalize else patches
        return patches + 0.02 * rng.standard_normal(patches.shape, dtype=np.float32)

    n_each = -(-n_scored // len(held_out))
    training = [image for name, image in images.items() if name not in held_out]
    training = prepare(cut(training, settings["n_patches"]))
    natural = prepare(np.concatenate([cut([images[name]], n_each) for name in held_out]))
    digits = datasets.load_digit_images(image_shape=size).data
    digits = prepare(digits[rng.permutation(len(digits))[:n_scored]])

    lattice = {"image_shape": (size, size)} if structure == "lattice" else {}
    gaussian = ConstrainedGaussian(structure, **lattice).fit(training)
    drawn = {"gaussian": gaussian, "own": ConstrainedGaussian().fit(natural)}
    for name, distribution in drawn.items():  # which have the noise already
        samples = distribution.sample(n_scored, random_state=0).astype(np.float32)
        drawn[name] = datasets.contrast_normalize(samples) if normalize else samples
    sets = {"natural": natural, "digits": digits, **drawn}
    names = np.repeat(held_out, n_each)
    return Bunch(training=training, sets=sets, gaussian=gaussian, photographs=names)


def encode(patches, recipe):
    """Whitened coordinates y of all sets, and their squared distances under the Gaussian of y."""
    ridge = recipe["regularization"] * float(patches.training.var(axis=0).mean())
    whitener = ZCAWhitener(
        "pca",
        n_components=recipe["n_kept"],
        regularization=ridge,
        covariance_estimator=FrozenEstimator(patches.gaussian),
    ).fit(patches.training)
    training = whitener.transform(patches.training)
    sets = {name: whitener.transform(rows) for name, rows in patches.sets.items()}
    scale = np.sqrt(1 + ridge / whitener.explained_variance_)
    squares = {name: np.square(y * scale).sum(axis=1) for name, y in sets.items()}
    log_gaussian = {name: patches.gaussian.score_samples(x) for name, x in patches.sets.items()}
    if "after" in recipe["normalize"]:  # not a linear map: other Gaussians
        training, natural, digits = map(equal_contrast, (training, sets["natural"], sets["digits"]))
        gaussian, own = (ConstrainedGaussian().fit(y) for y in (training, natural))
        sets = {"natural": natural, "digits": digits}
        for name, distribution in {"gaussian": gaussian, "own": own}.items():
            samples = distribution.sample(len(digits), random_state=0).astype(np.float32)
            sets[name] = equal_contrast(samples)
        squares = {name: gaussian.mahalanobis(y) for name, y in sets.items()}
        log_gaussian = {name: -0.5 * square for name, square in squares.items()}
    return Bunch(
        training=training, sets=sets, squares=squares, log_gaussian=log_gaussian, whitener=whitener
    )


def equal_contrast(y):
    return y / np.sqrt(np.square(y).mean(axis=1, keepdims=True) + 0.1)


# %%
# Models and measures
# -------------------


def make_model(recipe, epochs, deviation):
    return DeepEnergyModel(
        recipe["n_components"],
        hidden_layer_sizes=recipe["hidden"],
        hidden_bias=recipe["hidden_bias"],
        sigma=recipe["sigma"],
        objective=OBJECTIVES[recipe["objective"]](deviation),
        optimizer=Adam(1e-2, schedule="cosine"),
        max_iter=recipe["training"] * epochs,
        batch_size=100,
        partition="none",  # ranks need no log Z
        random_state=0,
    )


def area(natural, other):
    is_natural = np.repeat([1, 0], [len(natural), len(other)])
    return roc_auc_score(is_natural, np.concatenate([natural, other]))


def matched_shares(natural, other, natural_norms, other_norms, tolerance=0.01):
    """Share of its pairs of like norm that each natural patch wins; NaN where it has no pair.

    Their mean is the norm-matched AUC.
    """
    is_pair = np.abs(np.log(natural_norms[:, None] / other_norms)) < tolerance
    wins = (natural[:, None] > other) + 0.5 * (natural[:, None] == other)
    n_pairs = is_pair.sum(axis=1)
    shares = np.full(len(natural), np.nan)
    return np.divide((wins * is_pair).sum(axis=1), n_pairs, out=shares, where=n_pairs > 0)


def measure(log_model, encoded, photographs):
    """AUCs of one model, the matched one by photograph too; and its ratios to the Gaussian."""
    ratio = {name: log_model[name] + 0.5 * encoded.squares[name] for name in log_model}
    log_p = {name: encoded.log_gaussian[name] + ratio[name] for name in ratio}
    measures = {}
    for kind, scores in {"log p": log_p, "ratio": ratio, "log p(y)": log_model}.items():
        for other in ("gaussian", "digits"):
            measures[f"{kind}, {other}"] = area(scores["natural"], scores[other])
    norms = {name: np.linalg.norm(y, axis=1) for name, y in encoded.sets.items()}
    for other in ("own", "gaussian"):
        pair = ("natural", other)
        shares = matched_shares(*(log_model[n] for n in pair), *(norms[n] for n in pair))
        measures[f"matched, {other}"] = np.nanmean(shares)
    paired = np.isfinite(shares)
    measures["paired"] = paired.mean()
    measures["photographs"] = {
        name: shares[paired & (photographs == name)].mean()
        for name in np.unique(photographs[paired])
    }
    return measures, ratio


# %%
# The study
# ---------
# Of 16 photographs (eleven without sporco), each is held out in one of five splits. Without
# ``--full`` two models see two splits; filters and histograms are those of the first.

COLUMNS = [
    "matched, gaussian",
    "matched, own",
    "log p, gaussian",
    "ratio, gaussian",
    "log p, digits",
    "log p(y), digits",
    "ratio, digits",
]


def study(recipes, settings):
    """Measures of each recipe on every split; filters and ratios of the first split's models."""
    images = all_photographs()
    names = np.array(sorted(images))
    results, shown = {}, {}
    folds = KFold(5, shuffle=True, random_state=0).split(names)
    for _, held_out in islice(folds, settings["splits"]):
        prepared = {}
        for name, changes in recipes.items():
            recipe = BEST | changes
            key = (recipe["structure"], "before" in recipe["normalize"])
            if key not in prepared:
                prepared[key] = cut_patches(images, names[held_out], settings, *key)
            encoded = encode(prepared[key], recipe)
            score = UNTRAINED.get(recipe["objective"])
            if score is None:
                model = make_model(recipe, settings["epochs"], float(encoded.training.std()))
                score = model.fit(encoded.training).score_samples
            log_model = {n: score(y).astype(np.float64) for n, y in encoded.sets.items()}
            measures, ratio = measure(log_model, encoded, prepared[key].photographs)
            results.setdefault(name, []).append(measures)
            if recipe["objective"] in OBJECTIVES:
                shown.setdefault(name, (filters(model.coefs_[0], encoded.whitener), ratio))
            print(f"{name:32}", *(f"{measures[key]:.2f}" for key in COLUMNS), flush=True)
    return results, shown


def filters(V, whitener):
    """Rows of V in pixels, as of ZCA-whitened patches; strongest first."""
    directions = whitener.mixing_ / np.linalg.norm(whitener.mixing_, axis=0)
    return (V @ directions.T)[np.argsort(-np.linalg.norm(V, axis=1))]


def table(results):
    """AUCs in percent, mean ± sd over splits, as a table of reStructuredText."""

    def line(first, cells, width=8):
        return " ".join([f"{first:27}", *(f"{cell:{width}}" for cell in cells)]).rstrip()

    rule = line("=" * 27, ["=" * 8] * len(COLUMNS))
    names = ["matched", "own", "log p", "ratio", "log p", "log p(y)", "ratio"]
    spans = line("", ["Gaussian samples".ljust(35), "digits"])
    lines = [rule, spans, line("-" * 27, ["-" * 35, "-" * 26]), line("recipe", names), rule]
    for name, splits in results.items():
        columns = (100 * np.array([m[key] for m in splits]) for key in COLUMNS)
        lines.append(line(name, (f"{c.mean():.0f} ± {c.std():.0f}" for c in columns)))
    return "\n".join([*lines, rule])


def draw(shown):
    figure, axes = plt.subplots(2, len(shown), figsize=(9, 7.5), layout="constrained")
    for (top, bottom), (name, (filters, ratio)) in zip(axes.T, shown.items(), strict=True):
        FilterDisplay(filters[:64]).plot(top)
        top.set_title(f"{name}: filters of the first layer")
        LogDensityDisplay(ratio).plot(bottom)
        bottom.set_xlabel("log p minus the Gaussian's (nats, up to a constant)")
    return figure


def main():
    parser = argparse.ArgumentParser(description="What tells natural patches from Gaussian ones.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--quick", action="store_true", help="two models, two splits: the default")
    form.add_argument("--full", action="store_true", help="every recipe, five splits: half an hour")
    parser.add_argument("--output", metavar="DIR", type=Path, default=Path("patches_apart"))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    names = RECIPES if arguments.full else ["Gaussian", "textbook", "best"]
    recipes = {name: RECIPES[name] for name in names}
    results, shown = study(recipes, FULL if arguments.full else QUICK)
    (arguments.output / "study.json").write_text(json.dumps(results, indent=1, default=float))
    print(table(results))
    figure = draw({name: shown[name] for name in ["textbook", "best"]})
    figure.savefig(arguments.output / "filters_and_scores.png")


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()

# %%
# What each change does
# ---------------------
# The table of ``--full``: AUCs, in percent, of natural patches that were held out against samples
# of the Gaussian, matched by norm and plain, and against digits; mean ± sd over the five splits.
# *log p(y)* is the density of the kept coordinates alone. A recipe is the best one but for its
# name; *more patches* are 50,000 in 10,000 steps, as in the example of natural patches.
#
# =========================== ======== ======== ======== ======== ======== ======== ========
#                             Gaussian samples                    digits
# --------------------------- ----------------------------------- --------------------------
# recipe                      matched  own      log p    ratio    log p    log p(y) ratio
# =========================== ======== ======== ======== ======== ======== ======== ========
# Gaussian                    49 ± 2   49 ± 1   70 ± 19  50 ± 0   65 ± 15  85 ± 11  50 ± 0
# Gaussian, contrast as it is 50 ± 1   48 ± 1   66 ± 23  50 ± 0   99 ± 1   100 ± 0  50 ± 0
# Gaussian, 784 regularised   51 ± 2   50 ± 1   68 ± 18  29 ± 20  67 ± 14  67 ± 14  39 ± 16
# independent Laplace         76 ± 6   65 ± 8   71 ± 19  91 ± 3   65 ± 15  86 ± 11  58 ± 10
# textbook, contrast as it is 52 ± 4   46 ± 2   66 ± 23  82 ± 4   99 ± 1   99 ± 1   59 ± 27
# textbook                    50 ± 2   43 ± 4   70 ± 19  71 ± 10  65 ± 15  65 ± 15  72 ± 9
# textbook, 150 directions    70 ± 9   62 ± 5   70 ± 19  87 ± 4   65 ± 15  85 ± 11  70 ± 8
# 64 hidden units             76 ± 9   64 ± 6   70 ± 19  78 ± 5   65 ± 15  86 ± 11  45 ± 9
# 64, score matching          56 ± 2   51 ± 4   70 ± 19  71 ± 3   65 ± 15  85 ± 10  68 ± 6
# 64, sliced score matching   54 ± 2   52 ± 2   70 ± 19  71 ± 2   65 ± 15  85 ± 10  67 ± 4
# 64, NCE                     71 ± 5   59 ± 7   70 ± 19  82 ± 4   65 ± 15  85 ± 11  52 ± 11
# 64, conditional NCE         57 ± 5   55 ± 5   70 ± 19  54 ± 11  64 ± 15  85 ± 11  28 ± 10
# best                        97 ± 3   91 ± 10  72 ± 20  98 ± 1   65 ± 15  84 ± 15  54 ± 11
# K = 256                     98 ± 2   91 ± 10  72 ± 20  98 ± 1   65 ± 15  82 ± 16  52 ± 13
# layers of 256 and 64        97 ± 3   89 ± 10  72 ± 20  97 ± 1   65 ± 15  85 ± 14  54 ± 11
# no hidden bias              62 ± 5   54 ± 6   70 ± 19  64 ± 7   64 ± 15  85 ± 11  35 ± 9
# σ = 1                       86 ± 6   81 ± 9   70 ± 19  95 ± 4   65 ± 15  86 ± 11  70 ± 13
# σ = 1, trained 2×           92 ± 6   87 ± 11  71 ± 19  98 ± 1   66 ± 15  85 ± 12  73 ± 12
# σ = 1, K = 256, 100 kept    92 ± 6   86 ± 9   71 ± 19  97 ± 1   66 ± 15  88 ± 10  73 ± 13
# σ = 1, more patches         93 ± 7   88 ± 12  71 ± 20  98 ± 1   65 ± 15  84 ± 11  70 ± 15
# best, more patches          98 ± 2   92 ± 9   73 ± 20  99 ± 1   64 ± 15  78 ± 15  45 ± 15
# σ = 0.1                     56 ± 3   53 ± 3   64 ± 16  66 ± 14  81 ± 12  85 ± 11  85 ± 11
# 50 directions               91 ± 6   85 ± 7   70 ± 19  94 ± 5   65 ± 15  81 ± 9   69 ± 12
# 100 directions              96 ± 4   90 ± 10  71 ± 20  98 ± 1   65 ± 15  84 ± 15  57 ± 14
# 300 directions              68 ± 14  59 ± 10  71 ± 20  72 ± 9   65 ± 15  77 ± 12  53 ± 7
# all 784, regularised        68 ± 15  65 ± 11  69 ± 18  40 ± 16  68 ± 14  68 ± 14  89 ± 1
# contrast as it is           79 ± 18  72 ± 17  67 ± 23  89 ± 15  98 ± 1   100 ± 0  0 ± 0
# contrast after whitening    50 ± 17  43 ± 14  61 ± 19  88 ± 7   96 ± 2   96 ± 2   27 ± 7
# full covariance             65 ± 19  60 ± 12  65 ± 18  61 ± 24  66 ± 15  87 ± 10  30 ± 21
# full covariance, trained 2× 70 ± 24  68 ± 22  66 ± 19  67 ± 26  66 ± 16  88 ± 9   36 ± 24
# =========================== ======== ======== ======== ======== ======== ======== ========
#
# **Why the textbook recipe fails.** Whitening gives 784 directions equal weight; few deserve it. In
# patches of equal contrast the excess kurtosis of a principal coordinate, in the median, is 1.4
# among the first 50 and 3.5 among the last 484. But divide the coordinates of either group by their
# own norm, and 0.7 is left of the first and 0.1 of the second: what is not Gaussian in the many
# directions of small variance is how loud all of them are together. That is what 64 units learn
# there. Their filters are noise, and at equal norm they know nothing: 50 ± 2.
#
# **The leading directions** are the first half of the cure. 150 of them hold nine tenths of the
# variance, and with nothing else changed the same 64 units reach 70 ± 9. The second half is 256
# units in place of 64, 97 ± 3 in place of 76 ± 9, with filters that are edges and gratings. A
# covariance that differs between photographs explains little of it: against samples that have the
# covariance of the held-out patches, 91 ± 10 is left. It is more than sparseness, too: independent
# Laplace variables have 76 ± 6. More units on top or a second layer add nothing here.
#
# **Training has a plateau.** Until units have found edges a model knows contrast only, and the
# 4,000 steps of this study are barely enough: the best recipe has 66 on the first split after 2,000
# and 92 after 4,000. Means of about 50 to 80 are often of splits that left the plateau and others
# that did not: 300 directions, contrast as it is (52 to 100), and most of all the full covariance.
# It has 95 and 81 on two splits and chance on three; twice the training makes the two 100 and 99
# and moves none of the three. Whitening by the lattice leaves a little covariance, which may be
# what units start from; this is a guess.
#
# **Hidden biases** let a pair of units see large values of either sign. Without them a layer of
# sigmoids is odd but for a constant, and 62 ± 5 is left. The scale of the first weights, tried
# between 0.01 and 1 on one split, made no difference.
#
# **σ.** With σ learned the model can have a heavier tail than the Gaussian. With σ = 1 it cannot,
# and has 86 ± 6 (92 ± 6 if trained twice as long). With σ = 0.1 the first term is 50‖y‖², next to
# which no unit has a say; it only makes log p that of the norm, which the Gaussian has in log p(y).
#
# **Objectives**, with 64 units: denoising and NCE leave the plateau; exact and sliced score
# matching and conditional NCE hardly do in the same number of steps.
#
# Where it fails
# --------------
# *Textures.* By photograph, the best recipe has 81 on gravel and 82 on grass, both held out in the
# first split, and 95 to 100 on the other fourteen. Against samples of its own covariance that split
# falls to 72: such textures are nearly Gaussian. And 42 % of the natural patches have no sample of
# like norm to be compared with.
#
# *Digits* are made of edges too. While contrast is as it is, every density tells them by it, but
# the ratio with σ learned is 0: a tail heavier than the Gaussian's favours what lies far out. At
# equal contrast the Gaussian has 65 ± 15. The best recipe adds nothing in pixels, where 634
# Gaussian directions drown the others, nor in the kept ones (84 after 85), and its ratio is chance.
# What does tell digits is the ratio with all 784 directions, regularised: 89 to 91 in every split,
# where the Gaussian has 36 to 80; the regularised Gaussian in the model's place has 39 ± 16. Yet at
# equal norm that model has 68 ± 15, so that edges are not what it tells them by. Between the two is
# σ = 1: 93 ± 7 at equal norm and 70 ± 15 on digits by the ratio from 50,000 patches, on digits more
# than the Gaussian in four splits of five. That is ``--recipe best`` of
# ``docs/studies/natural_patches.py``.
#
# *Contrast made equal after whitening* leaves the model at chance at equal norm. Its 96 on digits
# is little more than the 92 that the Gaussian refitted to such y has on the first split.
