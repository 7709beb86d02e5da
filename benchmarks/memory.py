"""Memory beyond the data and the result, at the peak of a fit and of scoring, for every estimator.

    python benchmarks/memory.py [--quick]

Each estimator is fitted to a few rows and then scores (or transforms) many, in a process of its
own: what counts is the largest resident set, less what there was before the call, less the result.
It should not grow with the number of rows: 64 MB and the model are the bound.
"""

import argparse
import multiprocessing
import resource
import warnings

import numpy as np
from sklearn.base import ClassifierMixin

import sklvm
from sklvm import ConstrainedGaussian

BOUND = 64
N_FEATURES, N_HIDDEN, N_TRAINED = 20, 500, 300
QUICK = ("BernoulliRBM", "DeepEnergyModel", "DictionaryLearner", "GaussianMixture", "ZCAWhitener")
SMALL = {"max_iter": 1, "random_state": 0, "partition": "none", "n_components": 64}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five estimators, few rows")
    is_quick = parser.parse_args().quick
    n_rows = 4_000 if is_quick else 200_000
    print(f"{n_rows} rows x {N_FEATURES} features, {8e-6 * n_rows * N_FEATURES:.0f} MB")
    print(f"{'estimator':<38}{'fit':>10}{'call':>20}{'MB beyond':>12}")
    context = multiprocessing.get_context("spawn")
    for name in QUICK if is_quick else sorted(sklvm.__all__):
        cls = getattr(sklvm, name)
        if not isinstance(cls, type) or issubclass(cls, ClassifierMixin):
            continue
        with context.Pool(1) as pool:
            print(line(name, pool.apply(measure, (name, n_rows))), flush=True)


def line(name, measured):
    if isinstance(measured, str):
        return f"{name:<38}{measured}"
    fit, call, beyond = measured
    mark = "" if max(fit, beyond) < BOUND else "  above the bound"
    return f"{name:<38}{fit:>7.0f} MB{call:>20}{beyond:>9.0f} MB{mark}"


def measure(name, n_rows):
    """MB of a fit, the name of a call, and its MB; or why there are none."""
    warnings.simplefilter("ignore")
    estimator = make(getattr(sklvm, name))
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, N_FEATURES))
    for values in (X, (X > 0).astype(float)):
        start = peak()
        try:
            estimator.fit(values[:N_TRAINED])
            fit = peak() - start
            call = "score_samples" if hasattr(estimator, "score_samples") else "transform"
            start = peak()
            result = getattr(estimator, call)(values)
        except ValueError:
            continue
        size = getattr(result, "nbytes", 0) / 2**20
        return fit, call, max(peak() - start - size, 0.0)
    return "takes neither numbers nor bits"


def make(cls):
    names = cls._get_param_names()
    options = {name: value for name, value in SMALL.items() if name in names}
    if "method" in names:
        options.pop("n_components")  # that of whitening is at most the number of features
    if "hidden_layer_sizes" in names:
        options["hidden_layer_sizes"] = (N_HIDDEN,)
    if "estimator" in names:
        options["estimator"] = ConstrainedGaussian()
    return cls(**options)


def peak():
    """Largest resident set so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
