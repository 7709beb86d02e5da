"""What Boltzmann machines and Hopfield networks reach.

Digits: scikit-learn's 1,797, 1,400 of them for training. As 4 × 4 bits (means of 2 × 2 pixels above
8) log p of held-out rows is exact; as 8 × 8 bits (above 7.5) it is annealed, and the lower half is
completed from the upper. Hopfield: 1,000 units, from 10% wrong bits, by the number of patterns a
unit: wrong bits, shares of overlaps above 0.9 and of patterns recalled exactly.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklvm import BoltzmannMachine, HopfieldNetwork

LOADS = (0.05, 0.10, 0.12, 0.138, 0.15, 0.17, 0.25, 0.5)
RULES = ("hebbian", "storkey", "pseudo_inverse")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small problems: a smoke test")
    parser.add_argument("--only", choices=["small_digits", "digits", "hopfield"])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        for part in (small_digits, digits, hopfield):
            if arguments.only in (None, part.__name__):
                part(arguments.quick)


def halves(X):
    order = np.random.default_rng(0).permutation(len(X))
    return X[order[:1400]].astype(float), X[order[1400:]].astype(float)


def small_digits(is_quick):
    images = load_digits().images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    train, test = halves(images > 8)
    print("4 x 4 digits: nats a row, training / test (seconds)")
    criteria = {
        "independent": {"structure": "diagonal"},
        "pseudo_likelihood": {},
        "minimum_probability_flow": {"objective": "minimum_probability_flow"},
        "ratio_matching": {"objective": "ratio_matching"},
        "pcd": {"objective": "pcd"},
        "mle": {"objective": "mle", "batch_size": 1400},
    }
    for name, options in criteria.items():
        if is_quick:
            options = {**options, "max_iter": 3}
        start = time.perf_counter()
        model = BoltzmannMachine(random_state=0, **options).fit(train)
        seconds = time.perf_counter() - start
        scores = f"{model.score(train):.3f} / {model.score(test):.3f}"
        print(f"  {name}: {scores} ({seconds:.1f})", flush=True)


def digits(is_quick):
    train, test = halves(load_digits().data > 7.5)
    options = {"max_iter": 20} if is_quick else {}
    if is_quick:
        test = test[:50]
    model = BoltzmannMachine(random_state=0, **options).fit(train)
    independent = BoltzmannMachine(structure="diagonal").fit(train)
    own = f"{model.score(test):.2f} ± {model.log_partition_std_err_:.3f}"
    print(f"8 x 8 digits: log p {own}, independent {independent.score(test):.2f}")
    lower = np.arange(64) >= 32
    means = model.impute(np.where(lower, np.nan, test), random_state=0)
    wrong = np.mean((means > 0.5) != test, axis=0)[lower].mean()
    guess = np.mean((train.mean(axis=0) > 0.5) != test, axis=0)[lower].mean()
    print(f"  lower half from the upper: {wrong:.2%} wrong, independent {guess:.2%}")


def hopfield(is_quick):
    d = 200 if is_quick else 1000
    rng = np.random.default_rng(0)
    print(f"Hopfield, {d} units: wrong bits, overlaps above 0.9, exact")
    for load in LOADS:
        patterns = np.where(rng.random((round(load * d), d)) < 0.5, -1, 1).astype(np.float32)
        starts = np.where(rng.random(patterns.shape) < 0.1, -patterns, patterns)
        cells = []
        for rule in RULES:
            overlaps = HopfieldNetwork(rule, states="spin").fit(patterns).recall(starts) * patterns
            overlaps = overlaps.mean(axis=1)
            wrong = 0.5 - 0.5 * overlaps.mean()
            shares = f"{np.mean(overlaps > 0.9):.0%}, {np.mean(overlaps == 1):.0%}"
            cells.append(f"{rule} {wrong:.2%}, {shares}")
        print(f"  P/d = {load}: " + "; ".join(cells), flush=True)


if __name__ == "__main__":
    main()
