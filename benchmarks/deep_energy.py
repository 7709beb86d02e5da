"""Training steps of a deep energy model, beside torch autograd and beside their matrix products.

One layer of 64 units under 64 components, 784 float32 features, batches of 200 of 50,000 rows,
Adam. The torch side minimises the same criterion, exact score matching by the same closed form,
with the gradient in the parameters by autograd. "products" are the matrix products of sklvm's step
and no more. Sides take turns, and medians count: what disturbs the machine disturbs all of them.
"""

import argparse
import resource
from importlib.util import find_spec

import numpy as np
from _take_turns import take_turns
from threadpoolctl import threadpool_limits

from sklvm import DeepEnergyModel
from sklvm.densities import GaussianDensity
from sklvm.energies import DeepEnergy
from sklvm.kernels import effective_n_threads
from sklvm.objectives import DenoisingScoreMatching, NoiseContrastiveEstimation, ScoreMatching
from sklvm.optimizers import Adam
from sklvm.partition import annealing_path
from sklvm.samplers import HamiltonianChains
from sklvm.training import Training

N_FEATURES, N_HIDDEN, N_COMPONENTS, BATCH = 784, 64, 64, 200
N_CHAINS, N_LEAPFROG_STEPS = 100, 5
NOISE_LEVEL, NOISE_RATIO = 0.4, 10


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    parser.add_argument("--threads", type=int, default=effective_n_threads())
    arguments = parser.parse_args()
    n_rounds = 3 if arguments.quick else 51
    rng = np.random.default_rng(0)
    n_rows = 2_000 if arguments.quick else 50_000
    X = rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)
    extra = extra_megabytes_of_a_fit(X)
    rivals = torch_steps(X, arguments.threads) if find_spec("torch") else {}
    print(f"milliseconds a step, medians of {n_rounds} rounds, {arguments.threads} threads")
    print(f"{'':<28}{'sklvm':>8}{'torch':>9}{'products':>10}{'torch / sklvm':>15}", end="")
    print(f"{'sklvm / products':>18}")
    with threadpool_limits(arguments.threads):
        for name, step, shapes in [*training_steps(X), *sampler_steps(X)]:
            sides = {"sklvm": step, "torch": rivals.get(name), "products": products(shapes)}
            seconds = take_turns(sides, n_rounds, n_warm_up=1)
            mine, theirs, bound = (each and 1e3 * each for each in seconds.values())
            rival, ratio = ("absent", "") if theirs is None else (f"{theirs:.2f}", theirs / mine)
            print(f"{name:<28}{mine:>8.2f}{rival:>9}{bound:>10.2f}", end="")
            print(f"{ratio and f'{ratio:.2f}x':>15}{mine / bound:>17.2f}x")
    print(f"memory of a fit of {n_rows} rows by score matching beyond X: {extra:.0f} MB")


# -- sklvm ----------------------------------------------------------------------------------------


def training_steps(X):
    """Name, step, and the shapes (m, k, n) of its products of (m, k) by (k, n)."""
    energy = DeepEnergy(N_FEATURES, N_COMPONENTS, (N_HIDDEN,))
    weights = np.ones(len(X), dtype=X.dtype)
    d, h, k = N_FEATURES, N_HIDDEN, N_COMPONENTS
    pairs = h * (h + 1) // 2

    def both_ways(n):
        """A forward pass, its backward pass to the input, and the tangent pass that they share."""
        up, down = [(n, d, h), (n, h, k)], [(n, k, h), (n, h, d)]
        gradients = [(h, n, d), (k, n, h)]
        return 2 * up + down + 2 * gradients + [(n, k, h)]

    n, m = BATCH, BATCH * (1 + NOISE_RATIO)
    exact = [(h, d, h), (h, h, d), (n, pairs, k), (k, n, pairs), (n, k, pairs)]
    contrast = [(m, d, h), (m, h, k), (k, m, h), (m, k, h), (h, m, d)]
    white = NoiseContrastiveEstimation(NOISE_RATIO, "independent_gaussian")
    for name, objective, shapes in [
        ("score matching", ScoreMatching(), both_ways(n) + exact),
        ("denoising score matching", DenoisingScoreMatching(NOISE_LEVEL), both_ways(n)),
        ("nce, white noise", white, contrast),
    ]:
        rng = np.random.default_rng(0)
        training = Training(energy, objective, Adam(), X, weights, rng)
        training.plan(None)

        def step(training=training, rng=rng):
            rows = rng.integers(len(X), size=BATCH)
            training.step(X[rows], weights[rows])

        yield name, step, shapes


def sampler_steps(X):
    energy = DeepEnergy(N_FEATURES, N_COMPONENTS, (N_HIDDEN,))
    rng = np.random.default_rng(0)
    theta = energy.init_parameters(X, rng)
    d, h, k, n = N_FEATURES, N_HIDDEN, N_COMPONENTS, N_CHAINS
    trajectory = N_LEAPFROG_STEPS * [(n, d, h), (n, h, k), (n, k, h), (n, h, d)]
    chains = HamiltonianChains(N_LEAPFROG_STEPS)
    state = chains.start(energy, theta, X[:N_CHAINS].copy(), seed=0)
    yield "hmc, a transition", lambda: chains.sweep(energy, theta, state), trajectory

    covariance = np.cov(X[:2000].T)
    reference = GaussianDensity(np.zeros(d), covariance, dtype=np.float32)
    path = annealing_path(energy, theta, reference, n_leapfrog_steps=N_LEAPFROG_STEPS)
    particles = path.start(N_CHAINS, rng)

    def temperature():
        path.log_density_change(particles, 0.5, 0.51)
        path.move(particles, 0.5, 0.2, rng)

    yield "annealing, a temperature", temperature, trajectory + 2 * N_LEAPFROG_STEPS * [(n, d, d)]


def products(shapes):
    rng = np.random.default_rng(0)
    pairs = [
        (rng.random((m, k), dtype=np.float32), rng.random((k, n), dtype=np.float32))
        for m, k, n in shapes
    ]
    outputs = [np.empty((m, n), dtype=np.float32) for m, _, n in shapes]

    def multiply():
        for (a, b), out in zip(pairs, outputs, strict=True):
            np.matmul(a, b, out=out)

    return multiply


def extra_megabytes_of_a_fit(X):
    """What the process's peak grows by in an epoch, log Z included."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = DeepEnergyModel(N_COMPONENTS, hidden_layer_sizes=(N_HIDDEN,), max_iter=1)
    model.set_params(batch_size=BATCH, random_state=0, partition__n_temperatures=20).fit(X)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


# -- torch ----------------------------------------------------------------------------------------


def torch_steps(X, n_threads):
    import torch
    from torch.nn.functional import softplus

    torch.set_num_threads(n_threads)
    torch.manual_seed(0)
    data = torch.from_numpy(X)
    V = torch.randn(N_HIDDEN, N_FEATURES) / N_FEATURES**0.5
    W = torch.randn(N_COMPONENTS, N_HIDDEN) / N_HIDDEN**0.5
    b, a, c = (torch.zeros(size) for size in (N_FEATURES, N_HIDDEN, N_COMPONENTS))
    gamma = torch.zeros(())
    parameters = [p.requires_grad_(True) for p in (V, W, b, a, c, gamma)]

    def log_p(x):
        top = softplus(torch.sigmoid(x @ V.T + a) @ W.T + c).sum(1)
        return top + x @ b - 0.5 * (x * x).sum(1)

    def score_matching(x):
        s = torch.sigmoid(x @ V.T + a)
        t = torch.sigmoid(s @ W.T + c)
        first = s * (1 - s)
        psi = b - x + ((t @ W) * first) @ V
        gram = V @ V.T
        slopes = first[:, None, :] * W  # du₂/du₁, for every row
        squared = ((slopes @ gram) * slopes).sum(2)
        laplacian = ((t @ W) * first * (1 - 2 * s)) @ gram.diagonal()
        laplacian = laplacian + (t * (1 - t) * squared).sum(1)
        return (0.5 * (psi * psi).sum(1) + laplacian).mean()

    def denoising(x):
        noise = torch.randn_like(x)
        noisy = (x + NOISE_LEVEL * noise).requires_grad_(True)
        (psi,) = torch.autograd.grad(log_p(noisy).sum(), noisy, create_graph=True)
        return 0.5 * ((psi + noise / NOISE_LEVEL) ** 2).sum(1).mean()

    def contrast(x):
        noise = torch.randn(NOISE_RATIO * len(x), N_FEATURES)
        both = torch.cat([x, noise])
        offset = N_FEATURES**0.5 * gamma + float(np.log(NOISE_RATIO))
        G = log_p(both) - offset + 0.5 * (both * both).sum(1)
        n = len(x)
        return softplus(-G[:n]).mean() + NOISE_RATIO * softplus(G[n:]).mean()

    def step_of(criterion):
        optimizer = torch.optim.Adam(parameters)

        def step():
            rows = torch.randint(len(data), (BATCH,))
            optimizer.zero_grad()
            criterion(data[rows]).backward()
            optimizer.step()

        return step

    return {
        "score matching": step_of(score_matching),
        "denoising score matching": step_of(denoising),
        "nce, white noise": step_of(contrast),
    }


if __name__ == "__main__":
    main()
