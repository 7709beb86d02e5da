"""Seconds to fit, and to fit and transform, of ZCAWhitener and of scikit-learn's whitening PCA.

50,000 image-like rows of 784 float32 features, PCA by its fastest solver. The two sides take turns,
and the median counts: what disturbs the machine disturbs both.
"""

import argparse
import statistics
import time

import numpy as np
from sklearn.decomposition import PCA

from sklvm import ZCAWhitener

SIDE = 28


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    is_quick = parser.parse_args().quick
    X = smooth_images(5_000 if is_quick else 50_000)
    n_rounds = 3 if is_quick else 15
    print(f"{X.shape[0]} x {X.shape[1]} {X.dtype}, medians of {n_rounds} rounds")
    print(f"{'':<16}{'ZCAWhitener':>13}{'ZCA (pca)':>13}{'PCA':>13}{'PCA / ZCA':>13}")
    for name in ("fit", "fit_transform"):
        zca, pca_whitener, pca = race(name, X, n_rounds)
        print(f"{name:<16}{zca:>11.3f} s{pca_whitener:>11.3f} s{pca:>11.3f} s{pca / zca:>12.2f}x")


def race(name, X, n_rounds):
    """Median seconds of the method of that name, for each of the three."""
    estimators = (
        ZCAWhitener(),
        ZCAWhitener("pca"),
        PCA(whiten=True, svd_solver="covariance_eigh"),
    )
    seconds = [[] for _ in estimators]
    for _ in range(n_rounds):
        for side, estimator in zip(seconds, estimators, strict=True):
            start = time.perf_counter()
            getattr(estimator, name)(X)
            side.append(time.perf_counter() - start)
    return [statistics.median(side) for side in seconds]


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
