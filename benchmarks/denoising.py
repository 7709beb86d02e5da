"""PSNR of photographs denoised by a learned dictionary, and of the same pipeline elsewhere.

The pipeline of Elad and Aharon (2006), "Image denoising via sparse and redundant representations
over learned dictionaries": atoms are learned from patches of the noisy image itself without their
means, every overlapping patch is coded by matching pursuit until its residual is within 1.15 times
that of the noise, and the reconstructions are averaged, with a little of the noisy image. The
libraries differ in how they learn, l1 with α = 1.2 σ, and in how they code.
"""

import argparse
import time
import warnings

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.decomposition import MiniBatchDictionaryLearning
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import orthogonal_mp_gram

from sklvm import DictionaryLearner, SparseCoder
from sklvm.datasets import load_photographs
from sklvm.sparse_coding import AtMostResidual

try:
    import spams
except ImportError:
    spams = None

SIDE = 8
RESIDUAL = 1.15
MOST_TRAINING_PATCHES = 60_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", help="file of a photograph; without it, one of scikit-image's")
    parser.add_argument("--sigma", type=float, default=25, help="of the noise, of 255 grey levels")
    parser.add_argument("--atoms", type=int, default=256)
    parser.add_argument("--quick", action="store_true", help="a small image: a smoke test")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    image = read_image(arguments)
    noise = np.random.default_rng(0).standard_normal(image.shape)
    noisy = image + arguments.sigma * noise
    print(f"{'':<16}{'PSNR':>8}{'learning':>11}{'coding':>9}")
    print(f"{'noisy':<16}{psnr(noisy, image):>8.2f}")
    n_atoms = 64 if arguments.quick else arguments.atoms
    for name, library in LIBRARIES.items():
        if library is None:
            print(f"{name:<16}{'absent':>8}")
            continue
        denoised, learning, coding = denoise(noisy, arguments.sigma, n_atoms, *library)
        print(
            f"{name:<16}{psnr(denoised, image):>8.2f}{learning:>9.1f} s{coding:>7.1f} s", flush=True
        )


def read_image(arguments):
    """Grey levels up to 255."""
    if arguments.image:
        from PIL import Image

        with Image.open(arguments.image) as file:
            return np.asarray(file.convert("L"), dtype=np.float64)
    image = 255 * load_photographs(downscale=4 if arguments.quick else 1)["camera"]
    return image[:64, :64] if arguments.quick else image


def psnr(image, truth):
    """In decibels, at grey levels from 0 to 255 (to which the image is clipped)."""
    return 10 * np.log10(255**2 / np.mean((np.clip(image, 0, 255) - truth) ** 2))


def denoise(noisy, sigma, n_atoms, learn, code):
    """The denoised image, and the seconds that learning and coding took."""
    windows = sliding_window_view(noisy, (SIDE, SIDE))
    patches = windows.reshape(-1, SIDE * SIDE).copy()
    means = patches.mean(axis=1, keepdims=True)
    patches -= means
    rng = np.random.default_rng(0)
    n_training = min(len(patches), MOST_TRAINING_PATCHES)
    training = patches[rng.choice(len(patches), n_training, replace=False)]
    start = training[rng.choice(n_training, n_atoms, replace=False)]
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    clock = time.perf_counter()
    atoms = learn(training, start, 1.2 * sigma)
    learning, clock = time.perf_counter() - clock, time.perf_counter()
    rebuilt = means + code(patches, atoms, RESIDUAL * sigma * SIDE)
    coding = time.perf_counter() - clock
    weight = 30 / sigma
    total, count = weight * noisy, np.full(noisy.shape, weight)
    rebuilt = rebuilt.reshape(windows.shape)
    height, width = windows.shape[:2]
    for i in range(SIDE):
        for j in range(SIDE):
            total[i : i + height, j : j + width] += rebuilt[:, :, i, j]
            count[i : i + height, j : j + width] += 1
    return total / count, learning, coding


def learn_by_sklvm(X, start, alpha):
    learner = DictionaryLearner(
        len(start), alpha=alpha, init=start, batch_size=1024, max_iter=5, tol=0, random_state=0
    )
    return learner.fit(X).components_


def code_by_sklvm(X, atoms, residual):
    coder = SparseCoder(atoms, penalty=AtMostResidual(residual), sparse_output=True).fit(X)
    return coder.inverse_transform(coder.transform(X))


def learn_by_spams(X, start, alpha):
    return spams.trainDL(
        np.asfortranarray(X.T),
        K=len(start),
        D=np.asfortranarray(start.T),
        lambda1=alpha,
        mode=2,
        iter=5 * len(X) // 512,
        batchsize=512,
        verbose=False,
    ).T


def code_by_spams(X, atoms, residual):
    atoms = np.asfortranarray(atoms.T)
    atoms /= np.linalg.norm(atoms, axis=0)  # its matching pursuit takes unit atoms only
    codes = spams.omp(np.asfortranarray(X.T), atoms, eps=residual**2)
    return np.ascontiguousarray((atoms @ codes).T)


def learn_by_scikit_learn(X, start, alpha):
    learner = MiniBatchDictionaryLearning(
        len(start),
        alpha=alpha,
        dict_init=start,
        fit_algorithm="cd",
        batch_size=512,
        max_iter=1,
        tol=0,
        max_no_improvement=None,
        random_state=0,
    )
    return learner.fit(X).components_


def code_by_scikit_learn(X, atoms, residual):
    codes = np.zeros((len(X), len(atoms)))
    squares = np.einsum("ij,ij->i", X, X)
    rows = squares > residual**2  # the others are zero, which it does not know how to code
    codes[rows] = orthogonal_mp_gram(
        atoms @ atoms.T, atoms @ X[rows].T, tol=residual**2, norms_squared=squares[rows]
    ).T
    return codes @ atoms


LIBRARIES = {
    "sklvm": (learn_by_sklvm, code_by_sklvm),
    "SPAMS": None if spams is None else (learn_by_spams, code_by_spams),
    "scikit-learn": (learn_by_scikit_learn, code_by_scikit_learn),
}


if __name__ == "__main__":
    main()
