"""Seconds until learned filters reach an objective, and what sporco's online learner takes.

Five photographs of scikit-image (the middle 256 x 256, grey, from 0 to 1, less sporco's low-pass),
32 filters of 8 x 8 that start at random, α = 0.1, circular. The objective is the sum over the
images of the least J at the filters, coded to a gap of 1e-4 with the clock stopped. Each side
learns in a process of its own, on one thread, and its clock is processor time. sporco has its
online learner with 50 ADMM steps an image, ρ = 5 and FastSolve. It may live in another environment:
``--rival-python`` is that one's interpreter.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from convolutional_coding import low_passed

ALPHA, N_FILTERS, WIDTH = 0.1, 32, 8
NAMES = ("camera", "astronaut", "coffee", "chelsea", "rocket")
LEVELS = (233.0, 209.0, 200.6, 199.0)
SIDES = ("sklvm", "sporco online")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small images: a smoke test")
    parser.add_argument("--rival-python", default=sys.executable, help="interpreter with sporco")
    parser.add_argument("--seconds", type=float, default=100.0, help="of learning, at most")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return work(*arguments.worker, arguments.seconds)
    seconds = 2.0 if arguments.quick else arguments.seconds
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.npz"
        images = photographs(64 if arguments.quick else 256)
        start = np.random.default_rng(0).standard_normal((WIDTH, WIDTH, N_FILTERS))
        start = np.moveaxis(start / np.sqrt((start**2).sum(axis=(0, 1))), -1, 0)
        np.savez(path, images=images, start=start)
        print(f"at the start {objective(images, start):.2f}")
        print(f"{'side':<16}{'seconds → objective':<}")
        for side in SIDES:
            points = run(side, path, seconds, arguments)
            if points is None:
                print(f"{side:<16}absent")
                continue
            values = [(spent, objective(images, np.array(filters))) for spent, filters in points]
            curve = "  ".join(f"{spent:.1f} → {value:.2f}" for spent, value in values)
            print(f"{side:<16}{curve}")
            for level in () if arguments.quick else LEVELS:
                reached = [spent for spent, value in values if value <= level]
                print(f"{'':<16}{level}: {f'{reached[0]:.1f} s' if reached else 'not reached'}")
    return 0


def photographs(side):
    from skimage import data
    from skimage.color import rgb2gray

    images = []
    for name in NAMES:
        image = getattr(data, name)()
        image = rgb2gray(image[..., :3]) if image.ndim == 3 else image / 255
        top, left = ((n - side) // 2 for n in image.shape)
        image = image[top : top + side, left : left + side]
        images.append(image - low_passed(image))
    return np.array(images)


def objective(images, filters):
    from sklvm import ConvolutionalSparseCoder

    X = images.reshape(len(images), -1)
    coder = ConvolutionalSparseCoder(
        filters, image_shape=images.shape[1:], alpha=ALPHA, boundary="circular", n_jobs=1
    )
    return -float(coder.fit(X).score_samples(X).sum())


def run(side, path, seconds, arguments):
    python = sys.executable if side == "sklvm" else arguments.rival_python
    answer = subprocess.run(
        [python, __file__, "--worker", side, str(path), "--seconds", str(seconds)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        if "No module named 'sporco'" in answer.stderr:
            return None
        raise RuntimeError(answer.stderr)
    return json.loads(answer.stdout.splitlines()[-1])


def work(side, path, seconds):
    case = dict(np.load(path))
    learn = {"sklvm": learn_by_sklvm, "sporco online": learn_by_sporco}[side]
    print(json.dumps([(spent, filters.tolist()) for spent, filters in learn(case, seconds)]))
    return 0


def learn_by_sklvm(case, seconds):
    from sklvm import ConvolutionalDictionaryLearner

    warnings.simplefilter("ignore")
    images, start = case["images"], case["start"]
    X, spent, points = images.reshape(len(images), -1), 0.0, []
    for n_passes in (5, 10, 20, 30, 40, 60, 80, 100, 150, 200):
        # The same fit, longer each time: a warm start would code the first pass from nothing.
        learner = ConvolutionalDictionaryLearner(
            len(start),
            filter_shape=(WIDTH, WIDTH),
            image_shape=images.shape[1:],
            alpha=ALPHA,
            boundary="circular",
            init=start,
            max_iter=n_passes,
            tol=0,
            n_jobs=1,
        )
        begun = time.process_time()
        learner.fit(X)
        spent = time.process_time() - begun
        points.append((spent, learner.components_.reshape(start.shape)))
        if spent > seconds / 3:
            break
    return points


def learn_by_sporco(case, seconds):
    import sporco.fft
    from sporco.dictlrn import onlinecdl

    sporco.fft.pyfftw_threads = 1
    images, start = case["images"].astype(np.float32), np.moveaxis(case["start"], 0, -1)
    options = onlinecdl.OnlineConvBPDNDictLearn.Options(
        {
            "Verbose": False,
            "CBPDN": {
                "rho": 5.0,
                "RelStopTol": 1e-7,
                "MaxMainIter": 50,
                "FastSolve": True,
                "DataType": np.float32,
            },
            "DataType": np.float32,
        }
    )
    begun, evaluated, points = time.process_time(), 0.0, []
    learner = onlinecdl.OnlineConvBPDNDictLearn(start.astype(np.float32), ALPHA, options)
    order = np.random.default_rng(1)
    while not points or points[-1][0] < seconds:
        for _ in range(10):
            learner.solve(images[order.integers(len(images))])
        stopped = time.process_time()
        filters = np.moveaxis(np.asarray(learner.getdict(), np.float64).squeeze(), -1, 0)
        points.append((stopped - begun - evaluated, filters))
        evaluated += time.process_time() - stopped
    return points


if __name__ == "__main__":
    sys.exit(main())
