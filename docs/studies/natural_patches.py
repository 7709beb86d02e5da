"""Deep energy models of natural image patches: the long study, with all its settings.

The page of the gallery, docs/examples/energy_based_models/natural_patches.py, tells the story and
derives the densities. Here are raw and whitened patches for several σ, contrast as it is or made
equal, three criteria, scores by photograph and at equal norm, a report in Markdown and JSON, and
four pictures. ``--recipe best`` is what the study of recipes (what_tells_patches_apart) found to
be best.
"""

import argparse
import json
import platform
import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

import sklvm
from sklvm import ConstrainedGaussian, DeepEnergyModel, ZCAWhitener
from sklvm.datasets import (
    contrast_normalize,
    load_digit_images,
    load_photographs,
    read_images,
    sample_patches,
    split_images,
)
from sklvm.objectives import OBJECTIVES, DenoisingScoreMatching
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling
from sklvm.plotting import FilterDisplay, LogDensityDisplay, TrainingCurveDisplay

# %%
# Settings
# --------

FULL = {
    "patch_size": 28,
    "n_patches": 50_000,
    "directions": 150,
    "epochs": 20,
    "temperatures": 1000,
    "scored": 3000,
}
QUICK = {
    "patch_size": 12,
    "n_patches": 20_000,
    "directions": 60,
    "epochs": 20,
    "temperatures": 200,
    "scored": 900,
}

TEXTBOOK = {"hidden": 64, "sigma": [1.0, 0.1, "learn"], "contrast_normalize": False}
BEST = {"hidden": 256, "sigma": [1.0], "contrast_normalize": True, "whiten": True}

# Standard deviation of the noise that every patch gets, in grey levels from 0 to 1. Without it,
# patches of one even colour, as photographs saturate, are points of infinite density.
NOISE = 0.02

# Noise of denoising score matching, in standard deviations of a pixel of what the model is given.
# Much less teaches it the contrast of patches before their structure, much more blurs both away.
DENOISING = 0.4


def parse_arguments():
    parser = argparse.ArgumentParser(description="A deep energy model of natural image patches.")
    add = parser.add_argument
    add("--images", metavar="DIR", help="folder of photographs; default: eleven that come along")
    add("--patch-size", type=whole(3), help="side of a patch in pixels")
    add("--n-patches", type=whole(1000), help="number of training patches")
    add("--recipe", choices=["textbook", "best"], default="textbook", help="defaults of the rest")
    add("--directions", type=whole(1), help="whitened principal directions that are kept")
    add("--n-components", type=whole(1), default=64, help="hidden units on top, K")
    add("--hidden", type=whole(1), help="units of the layer below")
    add("--sigma", type=positive_or_learn, nargs="+")
    objectives = ["score_matching", "denoising_score_matching", "nce"]
    add("--objective", choices=objectives, default="denoising_score_matching")
    add("--whiten", action=argparse.BooleanOptionalAction, help="one of the two alone")
    add("--contrast-normalize", action=argparse.BooleanOptionalAction)
    add("--output", metavar="DIR", type=Path, default=Path("natural_patches"))
    add("--quick", action="store_true", help="less of everything, in a minute")
    add("--seed", type=whole(0), default=0)
    arguments = parser.parse_args()
    recipe = BEST if arguments.recipe == "best" else TEXTBOOK
    for name, value in {**recipe, **(QUICK if arguments.quick else FULL)}.items():
        if getattr(arguments, name, None) is None:
            setattr(arguments, name, value)
    arguments.directions = min(arguments.directions, arguments.patch_size**2)
    try:
        arguments.photographs = choose_photographs(arguments.images, arguments.patch_size)
    except (OSError, ValueError) as error:
        parser.error(f"argument --images: {error}")
    return arguments


def whole(minimum):
    def convert(text):
        if not text.isdecimal() or int(text) < minimum:
            error = f"must be a whole number of at least {minimum}, got {text!r}"
            raise argparse.ArgumentTypeError(error)
        return int(text)

    return convert


def positive_or_learn(text):
    try:
        value = text if text == "learn" else float(text)
    except ValueError:
        value = 0
    if value != "learn" and not 0 < value < np.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number or 'learn', got {text!r}")
    return value


# %%
# Patches
# -------
# A third of the photographs is held out as a whole, so that a held-out patch shows nothing that a
# training patch has shown.


def choose_photographs(folder, patch_size):
    images = read_images(folder, downscale=2, max_side=768) if folder else load_photographs()
    small = [name for name, image in images.items() if min(image.shape) < patch_size]
    if small and len(images) - len(small) >= 2:
        warnings.warn(f"left out, smaller than a patch once scaled down: {small}", stacklevel=2)
    images = {name: image for name, image in images.items() if name not in small}
    if len(images) < 2:
        sides = f"sides of {patch_size} pixels or more after scaling down by 2"
        raise ValueError(f"needs at least 2 photographs with {sides}, got {len(images)}")
    return images


def cut_patches(settings, rng):
    """Training patches, held-out patches by photograph, and digits, all in the same form."""
    training, held_out = split_images(settings.photographs, 0.3, random_state=settings.seed)
    size, n_scored = settings.patch_size, settings.scored
    patches = sample_patches(training, size, settings.n_patches, random_state=settings.seed)
    natural = {
        name: sample_patches([image], size, -(-n_scored // len(held_out)), random_state=i)
        for i, (name, image) in enumerate(held_out.items())
    }
    digits = load_digit_images(image_shape=size).data
    digits = digits[rng.permutation(len(digits))[:n_scored]]

    def prepare(patches):
        if settings.contrast_normalize:
            patches = contrast_normalize(patches)
        return patches + np.float32(NOISE) * rng.standard_normal(patches.shape, dtype=np.float32)

    natural = {name: prepare(held) for name, held in natural.items()}
    return prepare(patches), natural, prepare(digits), list(training)


# %%
# Gaussian, whitening, models
# ---------------------------
# The whitener fits the Gaussian whose covariance it takes.


class PatchModel:
    """A deep energy model of patches, whitened first where a whitener is given."""

    def __init__(self, model, gaussian, whitener=None):
        self.model, self.gaussian, self.whitener = model, gaussian, whitener

    def encode(self, patches):
        return patches if self.whitener is None else self.whitener.transform(patches)

    def decode(self, points):
        return points if self.whitener is None else self.whitener.inverse_transform(points)

    def fit(self, patches):
        points = self.encode(patches)
        if isinstance(self.model.objective, DenoisingScoreMatching):
            self.model.set_params(objective__noise_level=DENOISING * float(points.std()))
        with warnings.catch_warnings():  # of too few effective chains, which the report names
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(points).estimate_log_partition()

    def score_samples(self, patches):
        points = self.encode(patches)
        log_density = self.model.score_samples(points).astype(np.float64)
        if self.whitener is None:
            return log_density
        standard_normal = -0.5 * ((points**2).sum(axis=1) + points.shape[1] * np.log(2 * np.pi))
        return self.gaussian.score_samples(patches) + log_density - standard_normal

    def filters(self):
        """Rows of V as patches."""
        V = self.model.coefs_[0]
        return V if self.whitener is None else V @ self.whitener.mixing_.T


def make_model(settings, sigma):
    model = DeepEnergyModel(
        settings.n_components,
        hidden_layer_sizes=(settings.hidden,),
        sigma=sigma,
        objective=OBJECTIVES[settings.objective](),
        optimizer=Adam(1e-2, schedule="cosine"),
        max_iter=settings.epochs,
        batch_size=100,
        partition=AnnealedImportanceSampling(settings.temperatures),
        random_state=settings.seed,
    )
    if find_spec("rich") is None:  # what scikit-learn draws its progress bars with
        return model.set_params(verbose=1)
    return model.set_callbacks(sklearn.callback.ProgressBar())


# %%
# Scores
# ------
# The area under the ROC curve is the probability that a held-out natural patch scores higher than
# another thing. The log-density itself is one score; its ratio to the Gaussian's asks what the
# model knows *beyond* correlations. Much of any such area is only a matter of ‖y‖, how far out a
# patch lies; the *matched* area compares patches of equal norm, which only structure tells apart.
# Photographs differ much: each is also scored by itself.


def evaluate(model, sigma, settings, gaussian, sets, photographs):
    log_p = {name: model.score_samples(patches) for name, patches in sets.items()}
    log_gaussian = {name: gaussian.score_samples(patches) for name, patches in sets.items()}
    ratio = {name: log_p[name] - log_gaussian[name] for name in sets}
    norms = {name: np.linalg.norm(model.encode(p), axis=1) for name, p in sets.items()}
    groups = [("", log_p, ""), ("", ratio, "_ratio"), ("baseline_", log_gaussian, "")]

    def areas(rows):
        return {
            f"{prefix}auc_{other}{suffix}": area(scores["natural"][rows], scores[other])
            for prefix, scores, suffix in groups
            for other in ("gaussian", "digits")
        }

    record = {
        "whitened": model.whitener is not None,
        "sigma": sigma,
        "objective": settings.objective,
        "sets": {name: {"mean": p.mean(), "std": p.std()} for name, p in log_p.items()},
        **areas(slice(None)),
        "auc_gaussian_matched": matched_area(
            ratio["natural"], ratio["gaussian"], norms["natural"], norms["gaussian"]
        ),
        "fitted_sigma": model.model.sigma_,
        "log_partition": model.model.log_partition_,
        "log_partition_std_err": model.model.log_partition_std_err_,
        "log_partition_chains": model.model.log_partition_effective_sample_size_,
        "by_photograph": {name: areas(rows) for name, rows in photographs.items()},
    }
    return record, log_p, ratio


def area(natural, other):
    is_natural = np.repeat([1, 0], [len(natural), len(other)])
    return roc_auc_score(is_natural, np.concatenate([natural, other]))


def matched_area(natural, other, natural_norms, other_norms):
    """The area among pairs whose norms agree within 1%; NaN where there are none."""
    close = np.abs(np.log(natural_norms)[:, np.newaxis] - np.log(other_norms)) < 0.01
    n_partners = close.sum(axis=1)
    wins = (close & (natural[:, np.newaxis] > other)).sum(axis=1)
    has_partners = n_partners > 0
    return np.mean(wins[has_partners] / n_partners[has_partners]) if has_partners.any() else np.nan


# %%
# Report and pictures
# -------------------

COLUMNS = ["auc_gaussian", "auc_digits", "auc_gaussian_ratio", "auc_digits_ratio"]


def write_report(report, folder):
    (folder / "report.json").write_text(json.dumps(report, indent=2, default=float) + "\n")
    lines = [
        "# Deep energy models of natural patches",
        "",
        f"Log-densities in nats a patch of {report['settings']['patch_size']}² pixels, mean ± sd "
        f"over patches. AUC against natural patches of held-out photographs "
        f"({', '.join(report['photographs']['held_out'])}); in brackets the sd over photographs.",
        "",
        "| patches | σ | natural | Gaussian samples | digits | AUC log p: Gaussian | digits "
        "| AUC ratio: Gaussian | digits | Gaussian, matched | log Z | effective chains |",
        "|---" * 12 + "|",
    ]
    for record in report["results"]:
        cells = ["whitened" if record["whitened"] else "raw", _named_sigma(record)]
        cells += [f"{s['mean']:.0f} ± {s['std']:.0f}" for s in record["sets"].values()]
        cells += [_area_cell(record, column) for column in COLUMNS]
        cells += [f"{record['auc_gaussian_matched']:.2f}"]
        cells += [f"{record['log_partition']:.1f} ± {record['log_partition_std_err']:.1f}"]
        cells += [f"{record['log_partition_chains']:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    baseline = [_area_cell(record, f"baseline_{column}") for column in COLUMNS[:2]]
    lines += [
        "| | the Gaussian itself | | | | " + " | ".join(baseline) + " | | | | | |",
        "",
        "log Z is by annealed importance sampling. Where few of the 100 chains are effective it",
        "is too low, and all log p of that row too high by the same amount; areas do not change.",
        f"{report['seconds']:.0f} seconds.",
    ]
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "\n".join(lines)


def _area_cell(record, column):
    spread = np.std([areas[column] for areas in record["by_photograph"].values()])
    return f"{record[column]:.2f} ({spread:.2f})"


def _named_sigma(record):
    learned = record["sigma"] == "learn"
    return f"learned: {record['fitted_sigma']:.2g}" if learned else f"{record['sigma']:g}"


def draw(fitted, starts, shape, folder):
    """Four pictures; `fitted` holds (record, log_p, ratio, model) of every model."""
    titles = [f"{'whitened' if r['whitened'] else 'raw'}, σ {_named_sigma(r)}" for r, *_ in fitted]
    n = len(fitted)

    def panels(n_rows, height):
        figure, axes = plt.subplots(n_rows, n, figsize=(4 * n, height), squeeze=False)
        figure.set_layout_engine("constrained")
        for ax, title in zip(axes[0], titles, strict=True):
            ax.set_title(title)
        return figure, axes

    figure, axes = panels(1, 4.3)
    for ax, (*_, model) in zip(axes[0], fitted, strict=True):
        strongest = np.argsort(-np.linalg.norm(model.model.coefs_[0], axis=1))[:64]
        FilterDisplay(model.filters()[strongest], shape).plot(ax)
    figure.suptitle("Filters: rows of V as patches, strongest first")
    figure.savefig(folder / "filters.png")

    figure, axes = panels(2, 6)
    for column, (_, log_p, ratio, _) in zip(axes.T, fitted, strict=True):
        LogDensityDisplay(log_p).plot(column[0])
        LogDensityDisplay(ratio).plot(column[1])
        column[1].set_xlabel("log-density minus the Gaussian's (nats)")
    figure.savefig(folder / "log_density.png")

    figure, axes = panels(1, 3)
    for ax, (*_, model) in zip(axes[0], fitted, strict=True):
        TrainingCurveDisplay(model.model.history_).plot(ax, curves=["objective"], marker=".")
    figure.savefig(folder / "training.png")

    rows = {"starts: samples of the Gaussian": starts}
    for title, (*_, model) in zip(titles, fitted, strict=True):
        rows[f"modes: {title}"] = model.decode(model.model.modes(model.encode(starts))[0])
    contrast = 3 * (starts - starts.mean(axis=1, keepdims=True)).std()
    figure, axes = plt.subplots(len(rows), figsize=(9, 1.1 * len(rows)), layout="constrained")
    for ax, (title, images) in zip(axes, rows.items(), strict=True):
        FilterDisplay(images - images.mean(axis=1, keepdims=True), shape).plot(
            ax, n_columns=len(starts), scaling="none", vmin=-contrast, vmax=contrast
        )
        ax.set_title(title, fontsize="small")
    figure.savefig(folder / "modes.png")


# %%
# Everything together
# -------------------


def main():
    begin = time.perf_counter()
    settings = parse_arguments()
    settings.output.mkdir(parents=True, exist_ok=True)
    rng, shape = np.random.default_rng(settings.seed), (settings.patch_size,) * 2
    patches, natural, digits, training_names = cut_patches(settings, rng)

    print(f"Gaussian Markov random field of {len(patches)} patches of {shape[0]}×{shape[1]} …")
    whitener = ZCAWhitener(
        "pca",
        n_components=settings.directions,
        covariance_estimator=ConstrainedGaussian("lattice", image_shape=shape, radius=2),
    ).fit(patches)
    gaussian = whitener.covariance_estimator_
    samples = gaussian.sample(settings.scored, random_state=settings.seed)
    if settings.contrast_normalize:  # like all the others
        samples = contrast_normalize(samples)
    held_out = np.concatenate(list(natural.values()))
    sets = {"natural": held_out, "gaussian": samples, "digits": digits}
    ends = np.cumsum([0, *map(len, natural.values())])
    rows = {name: slice(ends[i], ends[i + 1]) for i, name in enumerate(natural)}

    fitted = []
    for whitened in [True, False] if settings.whiten is None else [settings.whiten]:
        for sigma in settings.sigma:
            print(f"{'whitened' if whitened else 'raw'} patches, sigma={sigma} …")
            model = make_model(settings, sigma)
            model = PatchModel(model, gaussian, whitener if whitened else None)
            model.fit(patches)
            fitted.append((*evaluate(model, sigma, settings, gaussian, sets, rows), model))

    draw(fitted, samples[:12], shape, settings.output)
    del settings.photographs
    report = {
        "results": [record for record, *_ in fitted],
        "photographs": {"training": training_names, "held_out": list(natural)},
        "settings": {**vars(settings), "output": str(settings.output), "noise": NOISE},
        "versions": {
            "python": platform.python_version(),
            **{module.__name__: module.__version__ for module in (sklvm, sklearn, np)},
        },
        "seconds": time.perf_counter() - begin,
    }
    print(write_report(report, settings.output), f"pictures: {settings.output}", sep="\n")


# Products of 50 rows gain little from a second thread, and stall if its CPU is busy elsewhere.
if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()

# %%
# What to see
# The log-density ranks patches as the Gaussian does: how far out a patch lies outweighs all else.
# The *ratio* to the Gaussian tells natural patches from its samples on whitened patches, with σ = 1
# and best with σ learned, and so it does at equal norm, where only structure is left to tell: the
# filters of these models are edges and bars, each at a place and at an angle. It does not tell
# digits: a heavier tail than the Gaussian's favours whatever lies far out. With σ = 0.1 the first
# term crushes whitened patches, and raw ones leave correlations to hidden units that are too few
# for them; log Z of such models rests on a chain or two. To most whitened models a flat patch is
# the likeliest.
