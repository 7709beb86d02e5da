"""How the defaults of the gradient-trained estimators were chosen, and what they reach.

Each candidate is an estimator with other settings than its defaults. On each table it is fitted to
half of the rows (standardised by their mean and standard deviation) and judged on the other half:

- gain: mean log-density above that of independent Gaussians (of binary rows: of independent bits)
  with the training rows' moments, in nats a row;
- accuracy: of a logistic regression on what ``transform`` makes of the rows;
- AUC: of ``score_samples``, fitted to half of the rows of the largest class, for telling the other
  half from the rows of the other classes.

::

    python benchmarks/defaults.py --quick               a small part, in less than 30 seconds
    python benchmarks/defaults.py --save results.jsonl  all of it; goes on where the file ends
    python benchmarks/defaults.py --show results.jsonl  the summary alone
"""

import argparse
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from _public_tables import binary_images, grey_images, missing_packages, tables
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    DeepEnergyModel,
    GaussianRBM,
    SigmoidAutoencoder,
    VAETransformer,
)
from sklvm.exceptions import DivergenceError
from sklvm.objectives import DenoisingScoreMatching
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling

ESTIMATORS = (
    BernoulliRBM,
    GaussianRBM,
    DeepEnergyModel,
    VAETransformer,
    BinaryLatentVAE,
    SigmoidAutoencoder,
)
# Bits for the binary machine: features above their median.
BINARY = {"BernoulliRBM"}
BRIEF_ANNEALING = AnnealedImportanceSampling(n_temperatures=200, n_chains=50)
SMALL_TABLES = ("iris", "linnerud", "banana", "heart", "sonar", "vehicle", "twonorm", "magic")


def rate(learning_rate, schedule="cosine"):
    return Adam(learning_rate, schedule=schedule, max_gradient_norm=10.0)


def candidates():
    """Estimators by name and label: "default", what it was before, and one change at a time."""
    deep_before = {"objective": "score_matching", "sigma": 1.0, "optimizer": "adam"}
    others = {
        "GaussianRBM": {
            "before": {"max_iter": 20},
            "K=16": {"n_components": 16},
            "Adam(.003)": {"optimizer": rate(3e-3, "linear")},
            "cosine": {"optimizer": rate(1e-2)},
            "one σ a feature": {"sigma": "learn_diagonal"},
            "decay .001": {"weight_decay": 1e-3},
            "decay .01": {"weight_decay": 1e-2},
            "not centred": {"centered": False},
            "cd": {"objective": "cd"},
        },
        "BernoulliRBM": {
            "before": {"max_iter": 20},
            "K=32": {"n_components": 32},
            "Adam(.003)": {"optimizer": rate(3e-3, "linear")},
            "cosine": {"optimizer": rate(1e-2)},
            "decay .001": {"weight_decay": 1e-3},
            "not centred": {"centered": False},
        },
        "DeepEnergyModel": {
            "before": {**deep_before, "max_iter": 20},
            "Adam(.003)": {"optimizer": rate(3e-3)},
            "noise .2": {"objective": DenoisingScoreMatching(0.2)},
            "noise .5": {"objective": DenoisingScoreMatching(0.5)},
            "width 32": {"hidden_layer_sizes": (32,), "n_components": 32},
            "softplus": {"activation": "softplus"},
            "decay .001": {"weight_decay": 1e-3},
            "nce": {"objective": "nce"},
            "score matching": {"objective": "score_matching"},
        },
        "VAETransformer": {
            "before": {"hidden_layer_sizes": (500,), "optimizer": "adam", "max_iter": 50},
            "width 32": {"hidden_layer_sizes": (32,)},
            "Adam(.001)": {"optimizer": rate(1e-3)},
            "Adam(.01)": {"optimizer": rate(1e-2)},
            "K=5": {"n_components": 5},
            "K=10": {"n_components": 10},
            "one σ a feature": {"sigma": "learn_diagonal"},
            "decay .001": {"weight_decay": 1e-3},
        },
        "BinaryLatentVAE": {
            "before": {"optimizer": "adam", "max_iter": 50},
            "Adam(.01)": {"optimizer": rate(1e-2)},
            "untied": {"tied": False},
            "lbfgs": {"optimizer": "lbfgs"},
        },
        "SigmoidAutoencoder": {
            "before": {"optimizer": "adam", "max_iter": 50},
            "Adam(.01)": {"optimizer": rate(1e-2)},
            "lbfgs": {"optimizer": "lbfgs"},
        },
    }
    return {
        estimator.__name__: {
            label: (estimator, settings)
            for label, settings in {"default": {}, **others[estimator.__name__]}.items()
        }
        for estimator in ESTIMATORS
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two tables, few settings, short fits")
    parser.add_argument("--save", metavar="FILE", type=Path, help="append results to it")
    parser.add_argument("--show", metavar="FILE", type=Path, help="summarise what is in it")
    parser.add_argument("--estimators", nargs="+", help="only these")
    parser.add_argument("--labels", nargs="+", help="only these candidates")
    parser.add_argument("--tables", nargs="+", help="only these; 'some' are eight small ones")
    parser.add_argument("--max-rows", type=int, default=2000)
    arguments = parser.parse_args()
    if arguments.show:
        show(read(arguments.show))
        return
    for name in missing_packages():
        print(f"{name} is not installed: its tables are absent.")
    if arguments.quick:
        arguments.tables, arguments.max_rows = ["iris"], 200
        arguments.labels = arguments.labels or ["default"]
    names = SMALL_TABLES if arguments.tables == ["some"] else arguments.tables
    results = read(arguments.save) if arguments.save and arguments.save.exists() else []
    known = {(r["estimator"], r["label"], r["table"]) for r in results}
    with threadpool_limits(1):
        for table, data in chosen_tables(names, arguments.max_rows).items():
            for estimator, label, settings in chosen(arguments.estimators, arguments.labels):
                if (estimator.__name__, label, table) in known:
                    continue
                if (estimator.__name__ in BINARY) != table.endswith("(bits)"):
                    continue
                result = {"estimator": estimator.__name__, "label": label, "table": table}
                result |= judge(estimator, settings, *data, brief=arguments.quick)
                results.append(result)
                if arguments.save:
                    with arguments.save.open("a") as file:
                        file.write(json.dumps(result) + "\n")
    show(results)


def chosen(estimators, labels):
    for name, by_label in candidates().items():
        for label, (estimator, settings) in by_label.items():
            if (not estimators or name in estimators) and (not labels or label in labels):
                yield estimator, label, settings


def chosen_tables(names, max_rows):
    """Tables and pictures, and bits of all of them."""
    real = {**tables(max_rows), **grey_images(max_rows)}
    bits = {f"{name} (bits)": data for name, data in binary_images(max_rows).items()}
    for name, (X, y) in tables(max_rows).items():
        above = (np.median(X, axis=0) < X).astype(np.float32)
        bits[f"{name} (bits)"] = above[:, np.ptp(above, axis=0) > 0], y
    found = {**real, **bits}
    return {
        name: data
        for name, data in found.items()
        if names is None or name.removesuffix(" (bits)") in names
    }


def judge(estimator, settings, X, y, *, brief=False):
    """What a candidate reaches on a table."""
    settings = {"random_state": 0, **settings}
    if brief:
        settings["max_iter"] = 3
    if "partition" in estimator().get_params():
        settings["partition"] = BRIEF_ANNEALING
    result = {"n_rows": len(X), "n_features": X.shape[1]}
    train, test = train_test_split(np.arange(len(X)), test_size=0.5, random_state=0)
    A, B = scaled(X[train], X[test], estimator)
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model = estimator(**settings).fit(A)
            result["seconds"] = time.process_time() - start
            result["n_iter"] = int(model.n_iter_)
            result["gain"] = model.score(B) - independent(A, B, estimator)
            result["log_partition_std_err"] = float(getattr(model, "log_partition_std_err_", 0.0))
            if y is not None:
                result["accuracy"] = accuracy(model, A, B, y[train], y[test])
                result["auc"] = auc(estimator, settings, X, y)
        except DivergenceError:
            result["diverged"] = True
    return result


def scaled(A, B, estimator):
    if estimator.__name__ in BINARY:
        return A, B
    mean, scale = A.mean(axis=0), A.std(axis=0)
    scale[scale == 0] = 1
    return (A - mean) / scale, (B - mean) / scale


def independent(A, B, estimator):
    """Mean log-density of B by independent features, in nats a row."""
    if estimator.__name__ in BINARY:
        p = (A.sum(axis=0) + 0.5) / (len(A) + 1.0)
        return float(np.mean(B @ np.log(p) + (1 - B) @ np.log1p(-p)))
    variance = np.maximum(A.var(axis=0), 1e-6)
    squares = (B - A.mean(axis=0)) ** 2 / variance
    return float(-0.5 * np.mean(np.sum(squares + np.log(2 * np.pi * variance), axis=1)))


def accuracy(model, A, B, y, y_test):
    classifier = LogisticRegression(max_iter=300).fit(model.transform(A), y)
    return classifier.score(model.transform(B), y_test)


def auc(estimator, settings, X, y):
    values, counts = np.unique(y, return_counts=True)
    inlier = y == values[counts.argmax()]
    train, test = train_test_split(np.flatnonzero(inlier), test_size=0.5, random_state=0)
    if len(train) < 10:
        return float("nan")
    rest = np.concatenate([test, np.flatnonzero(~inlier)])
    A, B = scaled(X[train], X[rest], estimator)
    # Whoever only ranks has no need of log Z.
    settings = {**settings, **({"partition": "none"} if "partition" in settings else {})}
    model = estimator(**settings).fit(A)
    return float(roc_auc_score(inlier[rest], model.score_samples(B)))


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def show(results):
    """Means over the tables that all candidates of an estimator have been tried on."""
    by_estimator = defaultdict(lambda: defaultdict(dict))
    for result in results:
        by_estimator[result["estimator"]][result["label"]][result["table"]] = result
    for estimator, by_label in by_estimator.items():
        shared = set.intersection(*(set(found) for found in by_label.values()))
        print(f"\n{estimator}: means over {len(shared)} tables")
        print(f"{'':16} gain   worst  accuracy  AUC    seconds  diverged  below independent")
        for label, found in by_label.items():
            rows = [found[table] for table in sorted(shared)]
            # A gain is capped: features with few values have densities without bound.
            gains = [row.get("gain", np.nan) for row in rows]
            capped = [gain / row["n_features"] for gain, row in zip(gains, rows, strict=True)]
            print(
                f"{label:16} {np.nanmean(np.clip(capped, -1, 1)):.4f} {np.nanmin(gains):7.2f}"
                f"  {mean(rows, 'accuracy'):.4f}  {mean(rows, 'auc'):.4f}"
                f"  {mean(rows, 'seconds'):6.2f}"
                f"  {sum(row.get('diverged', False) for row in rows):5d}"
                f"  {sum(gain < -0.02 for gain in capped):5d}"
            )


def mean(rows, name):
    values = [row[name] for row in rows if row.get(name) is not None]
    return float(np.nanmean(values)) if values else float("nan")


if __name__ == "__main__":
    main()
