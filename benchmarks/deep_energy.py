"""Epochs of a deep energy model, beside torch autograd and beside their matrix products.

One layer of 64 units under 64 components, 784 float32 features, batches of 200, Adam. A turn is a
``fit`` of five epochs, the preparation of log Z included. The torch side minimises the same
criterion, exact score matching by the same closed form, with the gradient in the parameters by
autograd and a fused Adam. "products" are the matrix products of sklvm's steps and no more. Each
side has a process of its own; they take turns, and medians count: what disturbs the machine
disturbs all of them.

Then transitions of the samplers beside their products, and the memory of a fit.
"""

import argparse
import resource
from importlib.util import find_spec

import numpy as np
from _own_processes import serve, take_turns_apart
from _take_turns import take_turns
from threadpoolctl import threadpool_limits

from sklvm import DeepEnergyModel
from sklvm.densities import GaussianDensity
from sklvm.energies import DeepEnergy
from sklvm.objectives import DenoisingScoreMatching, NoiseContrastiveEstimation, ScoreMatching
from sklvm.partition import annealing_path
from sklvm.samplers import HamiltonianChains

N_FEATURES, N_HIDDEN, N_COMPONENTS, BATCH = 784, 64, 64, 200
N_CHAINS, N_LEAPFROG_STEPS = 100, 5
EPOCHS_A_TURN = 5
NOISE_LEVEL, NOISE_RATIO = 0.4, 10
CRITERIA = {
    "score matching": ScoreMatching(),
    "denoising score matching": DenoisingScoreMatching(NOISE_LEVEL),
    "nce, white noise": NoiseContrastiveEstimation(NOISE_RATIO, "independent_gaussian"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--criteria", nargs="+", default=list(CRITERIA), choices=list(CRITERIA))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--side", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        side, criterion, n_rows, n_threads = arguments.side
        serve(SIDES[side](criterion, rows(int(n_rows)), int(n_threads)))
        return
    n_rounds = arguments.rounds or (1 if arguments.quick else 5)
    n_rows = 400 if arguments.quick else 10_000
    sides = ["sklvm", "torch", "products"] if find_spec("torch") else ["sklvm", "products"]
    print(f"milliseconds a step in an epoch of {n_rows} rows, medians of {n_rounds} rounds")
    print(f"{'':<28}{'threads':>8}{'sklvm':>8}{'torch':>9}{'products':>10}", end="")
    print(f"{'torch / sklvm':>15}{'sklvm / products':>18}")
    for criterion in arguments.criteria:
        for n_threads in [1] if arguments.quick else arguments.threads:
            seconds = take_turns_apart(
                __file__,
                {name: ["--side", name, criterion, str(n_rows), str(n_threads)] for name in sides},
                n_rounds,
                n_threads=n_threads,
            )
            row = [
                each and 1e3 * each * BATCH / n_rows / EPOCHS_A_TURN for each in seconds.values()
            ]
            report(f"{criterion:<28}{n_threads:>8}", dict(zip(seconds, row, strict=True)))
    if arguments.criteria == list(CRITERIA):
        fit_rows = 2_000 if arguments.quick else 50_000
        extra = extra_megabytes_of_a_fit(rows(fit_rows))
        print(f"memory of a fit of {fit_rows} rows by score matching beyond X: {extra:.0f} MB")
        report_samplers(rows(2_000), n_rounds)


def rows(n_rows):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_rows, N_FEATURES), dtype=np.float32)


def report(label, times):
    mine, theirs, bound = times["sklvm"], times.get("torch"), times["products"]
    rival, ratio = ("absent", "") if theirs is None else (f"{theirs:.2f}", f"{theirs / mine:.2f}x")
    print(
        f"{label}{mine:>8.2f}{rival:>9}{bound:>10.2f}{ratio:>15}{mine / bound:>17.2f}x", flush=True
    )


def report_samplers(X, n_rounds):
    print("samplers: milliseconds, one process, one thread")
    with threadpool_limits(1):
        for name, step, shapes in sampler_steps(X):
            seconds = take_turns(
                {"sklvm": step, "products": products(shapes)}, 3 * n_rounds, n_warm_up=1
            )
            report(f"{name:<28}{1:>8}", {side: 1e3 * each for side, each in seconds.items()})


# -- sklvm ----------------------------------------------------------------------------------------


def fit(criterion, X, n_threads):
    """Some epochs of training, as users have them."""
    model = DeepEnergyModel(N_COMPONENTS, hidden_layer_sizes=(N_HIDDEN,), max_iter=EPOCHS_A_TURN)
    model.set_params(warm_start=True, batch_size=BATCH, random_state=0, partition="none")
    model.set_params(sigma=1.0, optimizer="adam")
    model.set_params(objective=CRITERIA[criterion])
    return lambda: model.fit(X)


def sampler_steps(X):
    """Name, step, and the shapes (m, k, n) of its products of (m, k) by (k, n)."""
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


def extra_megabytes_of_a_fit(X):
    """What the process's peak grows by in an epoch."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = DeepEnergyModel(N_COMPONENTS, hidden_layer_sizes=(N_HIDDEN,), max_iter=1)
    model.set_params(batch_size=BATCH, random_state=0, objective="score_matching").fit(X)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


# -- products -------------------------------------------------------------------------------------


def epochs_of_products(criterion, X, n_threads):
    multiply = products(shapes_of_a_step(criterion))

    def epochs():
        for _ in range(EPOCHS_A_TURN * (len(X) // BATCH)):
            multiply()

    return epochs


def shapes_of_a_step(criterion):
    """(m, k, n) of the products of (m, k) by (k, n) in a step of sklvm."""
    d, h, k = N_FEATURES, N_HIDDEN, N_COMPONENTS
    n, m = BATCH, BATCH * (1 + NOISE_RATIO)
    if criterion == "nce, white noise":
        return [(m, d, h), (m, h, k), (k, m, h), (m, k, h), (h, m, d)]
    # A forward pass, its backward pass to the input, and the tangent pass that they share.
    both_ways = 2 * [(n, d, h), (n, h, k)] + [(n, k, h), (n, h, d)]
    both_ways += 2 * [(h, n, d), (k, n, h)] + [(n, k, h)]
    if criterion == "denoising score matching":
        return both_ways
    pairs = h * (h + 1) // 2
    return [*both_ways, (h, d, h), (h, h, d), (n, pairs, k), (k, n, pairs), (n, k, pairs)]


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


# -- torch ----------------------------------------------------------------------------------------


def torch_epochs(criterion, X, n_threads):
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

    loss = {
        "score matching": score_matching,
        "denoising score matching": denoising,
        "nce, white noise": contrast,
    }[criterion]
    optimizer = torch.optim.Adam(parameters, fused=True)

    def epochs():
        for _ in range(EPOCHS_A_TURN):
            for rows in torch.randperm(len(data)).split(BATCH):
                optimizer.zero_grad()
                loss(data[rows]).backward()
                optimizer.step()

    return epochs


SIDES = {"sklvm": fit, "torch": torch_epochs, "products": epochs_of_products}


if __name__ == "__main__":
    main()
