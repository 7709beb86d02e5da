"""A variational auto-encoder beside its twin in torch: speed, bounds, and anomalies.

Both are 784-500-20-500-784 rectifier networks with a Bernoulli likelihood, in float32, trained by
Adam on batches of 100. Without options their epochs race on one thread and on two; "products" are
the matrix products of an epoch and no more. Each side has a process of its own. Sides take turns,
and medians count: what disturbs the machine disturbs all of them. A small table, of 300 rows of 10
features, follows: on one thread, on two, and where no environment variable sets their number.

With ``--mnist FOLDER``, where the four MNIST files are, both train for 100 epochs on bits drawn
anew for each step, at a rate that falls along half a cosine. Test digits are binarised once; log p
is importance-weighted, with 1,000 draws for each of the first 1,000. With ``--fashion FOLDER`` too,
articles of clothing are to be told from digits by their scores.
"""

import argparse
import time
import tracemalloc
from functools import partial
from importlib.util import find_spec

import numpy as np
from _own_processes import serve, take_turns_apart
from sklearn.metrics import roc_auc_score

from sklvm import VAETransformer
from sklvm.datasets import load_digit_images, read_idx_images
from sklvm.kernels import effective_n_threads
from sklvm.optimizers import Adam

N_PIXELS, N_HIDDEN, N_COMPONENTS, BATCH = 784, 500, 20, 100
LEARNING_RATE = 1e-3
LAYERS = [
    (N_PIXELS, N_HIDDEN),
    (N_HIDDEN, 2 * N_COMPONENTS),
    (N_COMPONENTS, N_HIDDEN),
    (N_HIDDEN, N_PIXELS),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rows, rounds and epochs")
    parser.add_argument("--mnist", metavar="FOLDER", help="train on the MNIST files in it")
    parser.add_argument("--fashion", metavar="FOLDER", help="score the Fashion-MNIST files in it")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        name, *numbers = arguments.side
        serve(SIDES[name](*map(int, numbers)))
    elif arguments.mnist:
        digits = read_idx_images(arguments.mnist)
        clothes = arguments.fashion and read_idx_images(arguments.fashion).test_data
        compare_bounds(digits.data, digits.test_data, clothes, arguments.epochs)
    elif arguments.quick:
        race(n_rounds=3, thread_counts=[1], n_rows=500)
        grey = load_digit_images().data
        compare_bounds(grey[::2], grey[1::25], None, n_epochs=2)
    else:
        race(n_rounds=9, thread_counts=[1, 2], n_rows=5_000)
        race_small(n_rounds=9)
        report_memory(racing_rows(5_000))


def new_vae(**parameters):
    return VAETransformer(
        N_COMPONENTS,
        hidden_layer_sizes=(N_HIDDEN,),
        likelihood="bernoulli",
        optimizer=Adam(LEARNING_RATE, schedule="cosine"),
        batch_size=BATCH,
        random_state=0,
        **parameters,
    )


def bits(grey):
    """Drawn once, with the grey levels as probabilities."""
    return (np.random.default_rng(0).random(grey.shape) < grey).astype(np.float32)


# -- speed ----------------------------------------------------------------------------------------


def race(n_rounds, thread_counts, n_rows):
    names = ["sklvm", "torch", "torch, fused Adam", "products"]
    if find_spec("torch") is None:
        print("torch is absent")
        names = ["sklvm", "products"]
    print(f"milliseconds a step in an epoch of {n_rows} rows, medians of {n_rounds} rounds")
    print(f"{'threads':>7}" + "".join(f"{name:>19}" for name in names))
    for n_threads in thread_counts:
        sides = {name: ["--side", name, str(n_rows), str(n_threads)] for name in names}
        seconds = take_turns_apart(__file__, sides, n_rounds, n_threads=n_threads)
        times = [1e3 * each * BATCH / n_rows for each in seconds.values()]
        shown = [f"{each:.2f} ({each / times[0]:.2f}x)" for each in times]
        print(f"{n_threads:>7}" + "".join(f"{each:>19}" for each in shown), flush=True)


def race_small(n_rounds):
    sides = {"small": ["--side", "small", "300", "1"]}
    for n_threads in (1, 2, None):
        (seconds,) = take_turns_apart(__file__, sides, n_rounds, n_threads=n_threads).values()
        label = "no variable set" if n_threads is None else f"{n_threads} threads"
        print(f"20 epochs of 300 x 10 numbers, {label}: {1e3 * seconds:.1f} ms", flush=True)


def report_memory(X):
    tracemalloc.start()
    new_vae(max_iter=1).fit(X)
    print(f"memory of a fit beyond X: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MB")
    tracemalloc.stop()


def racing_rows(n_rows):
    grey = load_digit_images().data
    return bits(np.tile(grey, (-(-n_rows // len(grey)), 1))[:n_rows])


def sklvm_epoch(n_rows, n_threads):
    X, vae = racing_rows(n_rows), new_vae(max_iter=1, warm_start=True)
    return lambda: vae.fit(X)


def small_fit(n_rows, n_threads):
    X = np.random.default_rng(0).standard_normal((n_rows, 10))
    vae = VAETransformer(2, hidden_layer_sizes=(32,), max_iter=20, random_state=0)
    return lambda: vae.fit(X)


def products(n_rows, n_threads):
    """The matrix products of an epoch: forward, to the weights, and to the layers below."""
    rng = np.random.default_rng(0)
    layers = []
    for n_in, n_out in LAYERS:
        shapes = [(BATCH, n_in), (BATCH, n_out), (n_out, n_in)]
        layers.append([rng.random(shape, dtype=np.float32) for shape in 2 * shapes])

    def epoch():
        for _ in range(n_rows // BATCH):
            for h, _, V, _, u, _ in layers:
                np.matmul(h, V.T, out=u)
            for layer, (h, u_bar, V, h_bar, _, V_bar) in reversed(list(enumerate(layers))):
                np.matmul(u_bar.T, h, out=V_bar)
                if layer > 0:
                    np.matmul(u_bar, V, out=h_bar)

    return epoch


# -- bounds ---------------------------------------------------------------------------------------


def compare_bounds(train, test, clothes, n_epochs):
    digits = bits(test)
    print(f"\n{n_epochs} epochs of {len(train)} digits; nats a test digit")
    print(f"{'':>8}{'seconds':>9}{'ELBO':>9}{'log p':>9}{'AUC against clothes':>21}")
    for name, fit in {"sklvm": fit_sklvm, "torch": fit_torch}.items():
        start = time.perf_counter()
        judge = fit(train, n_epochs) if name == "sklvm" or find_spec("torch") else None
        if judge is None:
            print(f"{name:>8}   absent")
            continue
        seconds = time.perf_counter() - start
        elbo, scores = judge(digits, 100)
        _, log_p = judge(digits[:1000], 1000)
        print(f"{name:>8}{seconds:>9.0f}{elbo.mean():>9.2f}{log_p.mean():>9.2f}", end="")
        if clothes is not None:
            _, others = judge(bits(clothes), 100)
            is_digit = np.repeat([1, 0], [len(scores), len(others)])
            print(f"{roc_auc_score(is_digit, np.concatenate([scores, others])):>21.4f}", end="")
        print(flush=True)


def fit_sklvm(X, n_epochs):
    """A function of bits and a number of draws: their ELBOs and scores."""
    vae = new_vae(binarize="dynamic", max_iter=n_epochs).fit(X)

    def judge(X, n_draws):
        # A warm start of no epochs takes the new setting, and trains nothing.
        vae.set_params(n_importance_samples=n_draws, warm_start=True, max_iter=0).fit(X[:100])
        return vae.elbo(X), vae.score_samples(X)

    return judge


# -- torch ----------------------------------------------------------------------------------------


class TorchTwin:
    def __init__(self, n_threads, fused=None):
        import torch
        from torch import nn

        self.torch = torch
        torch.set_num_threads(n_threads)
        torch.manual_seed(0)
        linear = [nn.Linear(*sizes) for sizes in LAYERS]
        self.encoder = nn.Sequential(linear[0], nn.ReLU(), linear[1])
        self.decoder = nn.Sequential(linear[2], nn.ReLU(), linear[3])
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimizer = torch.optim.Adam(parameters, LEARNING_RATE, fused=fused)

    def encode(self, x):
        mean, log_scale = self.encoder(x).chunk(2, dim=1)
        return mean, log_scale, log_scale.exp()

    def errors(self, z, x):
        from torch.nn.functional import binary_cross_entropy_with_logits

        return binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(-1)

    def epoch(self, X, after_step=None, draws_bits=False):
        for rows in self.torch.randperm(len(X)).split(BATCH):
            x = self.torch.bernoulli(X[rows]) if draws_bits else X[rows]
            mean, log_scale, scale = self.encode(x)
            z = mean + scale * self.torch.randn_like(scale)
            divergence = 0.5 * (mean**2 + scale**2 - 1).sum() - log_scale.sum()
            self.optimizer.zero_grad()
            ((self.errors(z, x).sum() + divergence) / len(x)).backward()
            self.optimizer.step()
            if after_step is not None:
                after_step()

    def judge(self, X, n_draws):
        """ELBOs and importance-weighted log p, with draws of their own for each row."""
        elbos, scores = [], []
        with self.torch.no_grad():
            for x in self.torch.from_numpy(X).split(10):
                mean, log_scale, scale = self.encode(x)
                noise = self.torch.randn(n_draws, *mean.shape)
                z = mean + scale * noise
                log_weights = 0.5 * (noise**2 - z**2).sum(2) + log_scale.sum(1)
                log_weights -= self.errors(z, x.expand(n_draws, -1, -1))
                elbos.append(log_weights.mean(0))
                scores.append(log_weights.logsumexp(0) - np.log(n_draws))
        return self.torch.cat(elbos).numpy(), self.torch.cat(scores).numpy()


def torch_epoch(n_rows, n_threads, fused=None):
    twin = TorchTwin(n_threads, fused)
    data = twin.torch.from_numpy(racing_rows(n_rows))
    return lambda: twin.epoch(data)


def fit_torch(X, n_epochs):
    twin = TorchTwin(effective_n_threads())
    n_steps = n_epochs * -(-len(X) // BATCH)
    schedule = twin.torch.optim.lr_scheduler.LambdaLR(
        twin.optimizer, lambda step: 0.5 * (1 + np.cos(np.pi * min(step / n_steps, 1)))
    )
    for _ in range(n_epochs):
        twin.epoch(twin.torch.from_numpy(X), schedule.step, draws_bits=True)
    return twin.judge


SIDES = {
    "sklvm": sklvm_epoch,
    "torch": torch_epoch,
    "torch, fused Adam": partial(torch_epoch, fused=True),
    "products": products,
    "small": small_fit,
}


if __name__ == "__main__":
    main()
