"""GaussianRBM by its defaults on standardised tables of many shapes, beside a diagonal Gaussian.

Half of the rows train and the others are scored: mean log-density in nats a feature, without the 2%
of rows that have the largest norm. Features that are constant in the training half are left out.
More than .03 nats a feature below the Gaussian, or any number that is not finite, is a failure.
The last table is noise with several features a row, and there the machine is expected to fail: its
weights overfit, which neither `weight_decay` nor another rate cures, but fewer components do.
"""

import argparse
import sys
import time

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_blobs,
    make_swiss_roll,
)
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklvm import GaussianRBM

TOLERANCE = 0.03
QUICK = ("iris", "wine", "log-normal", "fewer rows than features")
OVERFITTED = "noise, 40 rows a half"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    is_quick = parser.parse_args().quick
    print(f"{'':<26}{'rows':>7}{'features':>9}{'RBM':>9}{'Gaussian':>10}", end="")
    print(f"{'difference':>12}{'effective chains':>18}{'seconds':>9}")
    failures = []
    for name, X in tables().items():
        if is_quick and name not in QUICK:
            continue
        halves = train_test_split(X, test_size=0.5, random_state=0)
        scaler = make_pipeline(VarianceThreshold(), StandardScaler()).fit(halves[0])
        train, test = (scaler.transform(half) for half in halves)
        start = time.perf_counter()
        model = GaussianRBM(random_state=0, max_iter=20).fit(train)
        seconds = time.perf_counter() - start
        inner = np.linalg.norm(test, axis=1)
        inner = inner <= np.quantile(inner, 0.98)
        mine = model.score_samples(test)[inner].mean() / test.shape[1]
        gaussian = diagonal_gaussian_scores(train, test)[inner].mean() / test.shape[1]
        size = model.log_partition_effective_sample_size_
        print(f"{name:<26}{len(X):>7}{test.shape[1]:>9}{mine:>9.3f}{gaussian:>10.3f}", end="")
        print(f"{mine - gaussian:>+12.3f}{size:>18.0f}{seconds:>9.2f}")
        is_finite = np.all(np.isfinite(model.components_)) and np.isfinite(mine)
        is_good = mine >= gaussian - TOLERANCE or name == OVERFITTED
        if not (is_finite and is_good):
            failures.append(name)
    sys.exit(f"short of the Gaussian: {', '.join(failures)}" if failures else None)


def diagonal_gaussian_scores(train, test):
    """log N(x; mean, variances) of each row, by maximum likelihood."""
    mean, variance = train.mean(axis=0), train.var(axis=0)
    return -0.5 * (((test - mean) ** 2 / variance) + np.log(2 * np.pi * variance)).sum(axis=1)


def tables():
    rng = np.random.default_rng(0)
    clusters = make_blobs(2000, n_features=6, centers=8, center_box=(-20, 20), random_state=0)[0]
    factors = rng.standard_normal((3000, 5)) @ rng.standard_normal((5, 100))
    return {
        "iris": load_iris().data,
        "wine": load_wine().data,
        "diabetes": load_diabetes().data,
        "breast cancer": load_breast_cancer().data,
        "digits": load_digits().data,
        "Swiss roll": make_swiss_roll(5000, noise=0.3, random_state=0)[0],
        "far clusters": clusters,
        "Student t, 3 degrees": rng.standard_t(3, size=(4000, 12)),
        "log-normal": rng.lognormal(sigma=1.0, size=(3000, 4)),
        "five factors in noise": factors + 0.3 * rng.standard_normal(factors.shape),
        "uniform, one feature": rng.random((1000, 1)),
        "fewer rows than features": load_digits().data[:100],
        OVERFITTED: rng.standard_normal((80, 300)),
    }


if __name__ == "__main__":
    main()
