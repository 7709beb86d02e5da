"""Mean–covariance and gated machines: densities of natural patches, shifts of dots, speed.

``patches``: whitened 8×8 patches of scikit-learn's two photographs, log(x + 10), each less its
mean, whitened with a ridge of 1% to 63 dimensions. Every second band of 64 columns is held out.
Machines of 64 hidden units are trained by persistent chains, 4,000 steps of 100 rows; nats a
held-out patch over the Gaussian fitted to the training patches, with log Z between annealing there
and back.

``dots``: pairs of 8×8 images of random dots, 30% of them on, the second one shifted in a circle by
up to two pixels each way. Wrong bits of the second image, rebuilt from the pair, and of another
image to which the pair's shift is transferred; how often a linear classifier reads the shift from
the hidden units. By contrastive divergence, 18,000 steps of 100 pairs.

``speed``: a training step of a mean–covariance machine, 256 factors and covariance units, 256 mean
units, 256 features, 100 rows and 100 chains, beside the matrix products and passes of its kernels,
and beside the same in torch (autograd). Sides take turns in processes of their own.
"""

import argparse
import time
from importlib.util import find_spec

import numpy as np
from _own_processes import serve, take_turns_apart
from sklearn.datasets import load_sample_images
from sklearn.linear_model import LogisticRegression

from sklvm import GatedRBM
from sklvm.densities import GaussianDensity
from sklvm.energies import GaussianRBMEnergy, MeanCovarianceRBMEnergy
from sklvm.kernels import sigmoid, softplus
from sklvm.objectives import PersistentContrastiveDivergence
from sklvm.optimizers import Adam
from sklvm.partition import AnnealedImportanceSampling, fit_reference, log_partition
from sklvm.training import Training

D, K, N, ROWS, LEAPFROG = 256, 256, 256, 100, 5
PARTS = ("patches", "dots", "speed")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few steps and rounds")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", choices=("sklvm", "products", "torch"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        serve({"sklvm": own_step, "products": products, "torch": torch_step}[arguments.side]())
        return
    if "patches" in arguments.parts:
        report_patches(300 if arguments.quick else 4000, 200 if arguments.quick else 3000)
    if "dots" in arguments.parts:
        report_dots(300 if arguments.quick else 18_000)
    if "speed" in arguments.parts:
        report_speed(5 if arguments.quick else 51, arguments.threads)


# -- natural patches ------------------------------------------------------------------------------


def report_patches(n_steps, n_temperatures):
    rng = np.random.default_rng(0)
    train, test = (draw_patches(n, rng, held) for n, held in ((40_000, False), (8_000, True)))
    mean, (variances, axes) = train.mean(axis=0), np.linalg.eigh(np.cov(train.T))
    variances, axes = variances[1:], axes[:, 1:]
    scales = np.sqrt(variances + 0.01 * variances.mean())
    train, test = (((X - mean) @ axes / scales).astype(np.float32) for X in (train, test))
    gaussian = GaussianDensity.fit(train)
    floor = gaussian.log_density(test).mean()
    print(f"held-out patches: {floor:.1f} nats by a Gaussian; beyond it")
    budget = AnnealedImportanceSampling(n_temperatures, 100, bracket=True)
    d = train.shape[1]
    for name, energy in (
        ("covariance machine", MeanCovarianceRBMEnergy(d, 0, 64, sigma="learn")),
        ("Gaussian machine", GaussianRBMEnergy(d, 64, "learn")),
    ):
        began = time.perf_counter()
        theta = trained(energy, train, n_steps)
        seconds = time.perf_counter() - began
        estimate = log_partition(
            energy, theta, fit_reference(energy, train), budget=budget, method="ais", rng=rng
        )
        energies = energy.evaluate(theta, test)[0].mean()
        low, high = (-energies - log_z - floor for log_z in estimate.bracket[::-1])
        print(
            f"  {name:<20} {low:+.1f} to {high:+.1f}, effective chains "
            f"{estimate.effective_sample_size:.0f} of 100, trained in {seconds:.0f} s"
        )


def draw_patches(n, rng, held_out):
    patches = []
    for image in load_sample_images().images:
        grey = np.log(image.mean(axis=2) + 10)
        of_band = (np.arange(grey.shape[1]) // 64 % 2 == 1) == held_out
        columns = [c for c in range(grey.shape[1] - 8) if of_band[c] and of_band[c + 7]]
        windows = np.lib.stride_tricks.sliding_window_view(grey, (8, 8))
        chosen = rng.integers(0, grey.shape[0] - 8, n // 2), rng.choice(columns, n // 2)
        rows = windows[chosen].reshape(-1, 64)
        patches.append(rows - rows.mean(axis=1, keepdims=True))
    return np.vstack(patches)


def trained(energy, X, n_steps):
    rng, weights = np.random.default_rng(1), np.ones(len(X), dtype=X.dtype)
    optimizer = Adam(0.01, schedule="linear", max_gradient_norm=10.0)
    training = Training(
        energy, PersistentContrastiveDivergence(), optimizer, X[:5000], weights[:5000], rng
    )
    training.plan(n_steps)
    for _ in range(n_steps):
        rows = rng.integers(0, len(X), 100)
        training.step(X[rows], weights[rows])
    return training.energy_theta


# -- shifted dots ---------------------------------------------------------------------------------


def report_dots(n_steps):
    rng = np.random.default_rng(0)
    pairs, _ = shifted_pairs(100 * min(n_steps, 1000), rng)
    model = GatedRBM(
        40,
        120,
        visible="binary",
        max_iter=max(1, n_steps // 1000),
        random_state=0,
        partition="none",
    )
    began = time.perf_counter()
    model.fit(pairs)
    seconds = time.perf_counter() - began
    pairs, shifts = shifted_pairs(4000, rng)
    rebuilt = np.mean(model.reconstruct(pairs).round() != pairs) * 2
    new = dots(4000, rng)
    moved = np.mean(model.transfer(pairs, new).round() != shifted(new, shifts))
    Z, labels = model.transform(pairs), shifts @ [5, 1]
    reader = LogisticRegression(max_iter=300).fit(Z[:2000], labels[:2000])
    print(
        f"dots: wrong bits {rebuilt:.2%} rebuilt, {moved:.2%} transferred; shift read "
        f"{reader.score(Z[2000:], labels[2000:]):.1%}; {n_steps} steps in {seconds:.0f} s"
    )


def dots(n, rng):
    return (rng.random((n, 64)) < 0.3).astype(np.float32)


def shifted_pairs(n, rng):
    x, shifts = dots(n, rng), rng.integers(-2, 3, (n, 2))
    return np.hstack([x, shifted(x, shifts)]), shifts


def shifted(x, shifts):
    places = np.arange(8)
    rows = (places - shifts[:, :1]) % 8
    columns = (places - shifts[:, 1:]) % 8
    images = x.reshape(-1, 8, 8)
    which = np.arange(len(x))[:, np.newaxis, np.newaxis]
    return images[which, rows[:, :, np.newaxis], columns[:, np.newaxis]].reshape(len(x), 64)


# -- speed ----------------------------------------------------------------------------------------


def report_speed(n_rounds, n_threads):
    sides = {side: ["--side", side] for side in ("sklvm", "products")}
    sides["torch"] = ["--side", "torch"] if find_spec("torch") else None
    seconds = take_turns_apart(__file__, sides, n_rounds, n_threads=n_threads)
    told = {name: "absent" if s is None else f"{100 * s:.2f} ms" for name, s in seconds.items()}
    print(f"a step of the mean–covariance machine, {n_threads} thread(s), medians of {n_rounds}:")
    print("  " + ", ".join(f"{name} {value}" for name, value in told.items()))
    print(f"  sklvm / products {seconds['sklvm'] / seconds['products']:.2f}x", end="")
    if seconds["torch"]:
        print(f", torch / sklvm {seconds['torch'] / seconds['sklvm']:.2f}x", end="")
    print()


def some_rows():
    return np.random.default_rng(0).standard_normal((ROWS, D)).astype(np.float32)


def own_step():
    """Ten steps."""
    X, weights = some_rows(), np.ones(ROWS, dtype=np.float32)
    energy = MeanCovarianceRBMEnergy(D, K, N, np.eye(N), sigma="learn")
    training = Training(
        energy,
        PersistentContrastiveDivergence(n_chains=ROWS),
        Adam(1e-4),
        X,
        weights,
        np.random.default_rng(0),
    )
    return lambda: [training.step(X, weights) for _ in range(10)]


def products():
    """The products and kernel passes of ten steps: LEAPFROG + 1 scores, and a gradient."""
    X = np.vstack([some_rows()] * 2)
    rng = np.random.default_rng(0)
    W, C, P = (rng.standard_normal((K, D)).astype(np.float32) for _ in range(3))

    def score(X):
        u, f = X @ W.T, X @ C.T
        v = (f * f) @ P.T
        softplus(u), softplus(v)
        s, t = sigmoid(u), sigmoid(v)
        return s @ W + (f * (t @ P)) @ C

    def gradient(X):
        u, f = X @ W.T, X @ C.T
        squares = f * f
        v = squares @ P.T
        softplus(u), softplus(v)
        s, t = sigmoid(u), sigmoid(v)
        return s.T @ X, (f * (t @ P)).T @ X, t.T @ squares

    def work():
        for _ in range(10):
            for _ in range(LEAPFROG + 1):
                score(X[:ROWS])
            gradient(X)

    return work


def torch_step():
    """Ten steps of the same criterion, sampler and optimiser, gradients by autograd."""
    import torch

    torch.manual_seed(0)
    X = torch.from_numpy(some_rows())
    parameters = [
        (torch.randn(shape) / D**0.5).requires_grad_()
        for shape in ((K, D), (N, D), (N, N), (D,), (K,), (N,), ())
    ]
    optimizer = torch.optim.Adam(parameters, 1e-4)
    step_size = 0.1
    chains = X.clone()

    def energy(X):
        W, C, P, a, b, c, rho = parameters
        u = X @ W.T + b
        v = c - 0.5 * (X @ C.T).square() @ P.abs().T
        value = 0.5 * X.square().sum(1) * torch.exp(-2 * rho) - X @ a
        softplus = torch.nn.functional.softplus
        return value - softplus(u).sum(1) - softplus(v).sum(1)

    def energy_and_score(X):
        X = X.detach().requires_grad_()
        E = energy(X)
        return E.detach(), -torch.autograd.grad(E.sum(), X)[0]

    def one():
        nonlocal chains
        position = chains
        E, psi = energy_and_score(position)
        momentum = torch.randn_like(position)
        start = E + 0.5 * momentum.square().sum(1)
        momentum = momentum + 0.5 * step_size * psi
        for i in range(LEAPFROG):
            position = position + step_size * momentum
            E, psi = energy_and_score(position)
            momentum = momentum + (0.5 if i == LEAPFROG - 1 else 1.0) * step_size * psi
        accepted = torch.rand(ROWS).log() < start - E - 0.5 * momentum.square().sum(1)
        chains = torch.where(accepted[:, None], position, chains)
        optimizer.zero_grad()
        (energy(X).mean() - energy(chains).mean()).backward()
        optimizer.step()

    return lambda: [one() for _ in range(10)]


if __name__ == "__main__":
    main()
