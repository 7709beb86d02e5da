"""Fit of every estimator on one thread and on two: more threads are never slower by a tenth.

The sides take turns, so that other work on the machine hits both alike; ratios are of medians.
"""

import argparse
import inspect
import warnings

import numpy as np
from _take_turns import take_turns
from sklearn.base import clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from threadpoolctl import threadpool_limits

import sklvm

# What makes a fit moderate; each estimator takes those of its parameters that it has.
MODERATE = {
    "n_components": 24,
    "hidden_layer_sizes": (128,),
    "batch_size": 100,
    "partition": "none",
    "random_state": 0,
}
# Steps a row of coders are not epochs.
MAX_ITER = {"ARDSparseCoder": 20, "SparseCoder": 1000, "ConvolutionalSparseCoder": 100}
# The coupled hidden units of a Boltzmann machine are summed out.
FEW_COMPONENTS = {"BoltzmannMachine": 6}
TOLERANCE = 1.1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small data, for a smoke test")
    parser.add_argument("--only", help="name of one estimator")
    arguments = parser.parse_args()
    n_rows, n_features, n_rounds = (100, 32, 1) if arguments.quick else (10_000, 144, 5)
    warnings.simplefilter("ignore", ConvergenceWarning)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 16)) @ rng.standard_normal((16, n_features))
    X += 0.5 * rng.standard_normal(X.shape)
    X /= X.std(axis=0)
    print(f"fit of {n_rows} rows of {n_features} features, medians of {n_rounds} rounds")
    print(f"{'':<34}{'one thread':>12}{'two':>12}{'two / one':>12}")
    for estimator in estimators():
        name = type(estimator).__name__
        if arguments.only in (None, name):
            sides = {n: on_threads(n, estimator, data_for(estimator, X)) for n in (1, 2)}
            one, two = take_turns(sides, n_rounds, n_warm_up=1).values()
            verdict = "  slower" if two > TOLERANCE * one else ""
            print(f"{name:<34}{one:>10.3f} s{two:>10.3f} s{two / one:>11.2f}x{verdict}", flush=True)


def estimators():
    """One of every public class, of moderate size."""
    for name in sklvm.__all__:
        cls = getattr(sklvm, name)
        if isinstance(cls, type):
            known = inspect.signature(cls.__init__).parameters
            required = {"estimator": sklvm.ConstrainedGaussian()} if "estimator" in known else {}
            values = {**MODERATE, "max_iter": MAX_ITER.get(name, 3)}
            values["n_components"] = FEW_COMPONENTS.get(name, values["n_components"])
            yield cls(**required).set_params(
                **{
                    key: value
                    for key, value in values.items()
                    if key in known and value is not None
                }
            )


def data_for(estimator, X):
    """Arguments of ``fit``: bits, counts or real data, and labels where it classifies."""
    if get_tags(estimator).input_tags.positive_only:
        X = np.floor(np.maximum(2 * X, 0))
    constraints = getattr(estimator, "_parameter_constraints", {})
    takes_bits = "binarize" in constraints and "likelihood" not in constraints
    if takes_bits or isinstance(estimator, sklvm.HopfieldNetwork):
        X = (X > 0).astype(np.float64)
    return (X, (X[:, 0] > 0).astype(int)) if is_classifier(estimator) else (X,)


def on_threads(n_threads, estimator, data):
    def fit():
        with threadpool_limits(n_threads):
            model = clone(estimator).fit(*data)
            if hasattr(model, "transform"):
                model.transform(data[0])

    return fit


if __name__ == "__main__":
    main()
