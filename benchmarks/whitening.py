"""Seconds to fit, and to fit and transform, of ZCAWhitener and of scikit-learn's whitening PCA.

50,000 image-like rows of 784 features, PCA by its fastest solver. The two sides take turns, and the
median counts: what disturbs the machine disturbs both. Behind the times is the largest relative
error of the variances that each finds: PCA works in the precision of its data throughout, while
ZCAWhitener centres the rows and adds up and decomposes in float64. For float32 data PCA is
therefore timed twice: on the data as they are, and on the data in float64, which it needs for as
exact an answer.
"""

import argparse
from functools import partial

import numpy as np
from _take_turns import take_turns
from sklearn.decomposition import PCA

from sklvm import ZCAWhitener

SIDE = 28


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    is_quick = parser.parse_args().quick
    X = smooth_images(5_000 if is_quick else 50_000)
    n_rounds = 3 if is_quick else 15
    exact = np.linalg.eigvalsh(np.cov(X.astype(np.float64).T, bias=True))[::-1]
    print(f"{X.shape[0]} x {X.shape[1]}, medians of {n_rounds} rounds")
    print(f"{'':<26}{'ZCA':>9}{'ZCA (pca)':>11}{'PCA':>9}{'PCA / ZCA':>11}", end="")
    print(f"{'error of ZCA':>15}{'of PCA':>9}")
    for name in ("fit", "fit_transform"):
        for data, rival_data in [
            (X, X),
            (X, X.astype(np.float64)),
            (X.astype(np.float64), X.astype(np.float64)),
        ]:
            estimators = [
                (ZCAWhitener(), data),
                (ZCAWhitener("pca"), data),
                (PCA(whiten=True, svd_solver="covariance_eigh"), rival_data),
            ]
            sides = {
                number: partial(getattr(estimator, name), rows)
                for number, (estimator, rows) in enumerate(estimators)
            }
            zca, as_pca, pca = take_turns(sides, n_rounds).values()
            errors = [relative_error(estimator, exact, len(X)) for estimator, _ in estimators]
            label = f"{name}, {data.dtype.name}"
            if rival_data.dtype != data.dtype:
                label += f"/{rival_data.dtype.name[-2:]}"
            print(f"{label:<26}{zca:>7.3f} s{as_pca:>9.3f} s{pca:>7.3f} s", end="")
            print(f"{pca / zca:>10.2f}x{errors[0]:>15.0e}{errors[2]:>9.0e}")


def relative_error(estimator, exact, n_rows):
    """Of the variances found; those of PCA are divided by n − 1."""
    found = estimator.explained_variance_.astype(np.float64)
    if isinstance(estimator, PCA):
        found *= (n_rows - 1) / n_rows
    return np.max(np.abs(found / exact - 1))


def smooth_images(n_images):
    """White noise filtered to the 1/f spectrum of photographs, in [0, 1]."""
    rng = np.random.default_rng(0)
    frequencies = np.hypot(np.fft.fftfreq(SIDE)[:, np.newaxis], np.fft.rfftfreq(SIDE))
    gain = 1 / np.maximum(frequencies, 1 / SIDE)
    images = np.empty((n_images, SIDE * SIDE), dtype=np.float32)
    for rows in np.array_split(np.arange(n_images), max(1, n_images // 1000)):
        noise = rng.standard_normal((len(rows), SIDE, SIDE))
        filtered = np.fft.irfft2(np.fft.rfft2(noise) * gain, s=(SIDE, SIDE))
        images[rows] = filtered.reshape(len(rows), -1)
    return (images - images.min()) / (images.max() - images.min())


if __name__ == "__main__":
    main()
