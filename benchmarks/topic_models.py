"""Topic models against tomotopy, lda and scikit-learn, by held-out completion perplexity.

Each test document's words are put in random order, and the second half is foretold from the first,
by the same fold-in for every library (α = 0.1). Corpora: 5,000 + 1,000 documents of 100 words from
50 known topics over 10,000 words, and, where the package lda is installed, its 395 articles of
Reuters. Topics in which words have no probability are mixed with one per cent of all words'.
Each fit is a process of its own with one thread; processor seconds of the fit are shown, medians
over rounds in which all take turns.

    python benchmarks/topic_models.py [--quick] [--rounds 3]
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np
from scipy.sparse import csr_array

from sklvm import LatentDirichletAllocation, ProbabilisticLatentSemanticAnalysis
from sklvm.topics import completion_perplexity

ALPHA, BETA = 0.1, 0.01
RIVALS = {"tomotopy": "tomotopy", "lda": "lda", "scikit-learn": "sklearn", "NMF": "sklearn"}


def synthetic(n_train, n_test, n_words=10_000, n_topics=50, concentration=100.0):
    """Documents of a Poisson number of words, 100 on average, and the topics."""
    rng = np.random.default_rng(0)
    base = 1 / (np.arange(n_words) + 10)
    topics = rng.gamma(concentration * base / base.sum(), size=(n_topics, n_words))
    topics /= topics.sum(axis=1, keepdims=True)
    ends = np.cumsum(topics, axis=1)
    columns, starts = [], [0]
    for _ in range(n_train + n_test):
        shares = rng.dirichlet(np.full(n_topics, 0.1))
        for topic, n in enumerate(rng.multinomial(rng.poisson(100), shares)):
            words = np.searchsorted(ends[topic], rng.random(n) * ends[topic, -1])
            columns.append(np.minimum(words, n_words - 1))
        starts.append(starts[-1] + sum(map(len, columns[len(columns) - n_topics :])))
    columns = np.concatenate(columns)
    X = csr_array(
        (np.ones(len(columns), np.int32), columns, starts), shape=(n_train + n_test, n_words)
    )
    X.sum_duplicates()
    return X[:n_train], X[n_train:], topics


def reuters():
    """The 395 articles that come with the package lda."""
    from lda.datasets import load_reuters

    X = csr_array(load_reuters())
    order = np.random.default_rng(0).permutation(395)
    return X[order[:316]], X[order[316:]], None


CORPORA = {
    "synthetic": lambda: synthetic(5000, 1000),
    "small": lambda: synthetic(600, 200, n_words=1000, n_topics=10),
    "reuters": reuters,
}


# -- fits: p(word | topic) of the training documents ----------------------------------------------


def fit_sklvm(X, n_topics, passes, inference):
    if inference == "plsa":
        model = ProbabilisticLatentSemanticAnalysis(
            n_topics, max_iter=passes, tol=0, random_state=0
        )
    else:
        model = LatentDirichletAllocation(
            n_topics,
            inference=inference,
            doc_topic_prior=ALPHA,
            topic_word_prior=BETA,
            max_iter=passes,
            tol=0,
            random_state=0,
        )
    return model.fit(X.astype(np.float32)).components_


def fit_tomotopy(X, n_topics, passes, _):
    import tomotopy

    model = tomotopy.LDAModel(k=n_topics, alpha=ALPHA, eta=BETA, seed=1, rm_top=0)
    for row in range(X.shape[0]):
        part = slice(X.indptr[row], X.indptr[row + 1])
        model.add_doc([str(w) for w in np.repeat(X.indices[part], X.data[part])])
    model.optim_interval = 0
    model.train(0)
    started = time.process_time()
    model.train(passes, workers=1)
    seconds = time.process_time() - started
    # Its vocabulary is that of the training documents; all others' words get β as well.
    words = np.array([int(word) for word in model.used_vocabs])
    topics = np.full((n_topics, X.shape[1]), BETA)
    for k, n_tokens in enumerate(model.get_count_by_topics()):
        topics[k, words] = model.get_topic_word_dist(k) * (n_tokens + BETA * len(words))
    return topics / topics.sum(axis=1, keepdims=True), seconds


def fit_lda(X, n_topics, passes, _):
    import logging

    import lda

    logging.getLogger("lda").setLevel(logging.ERROR)
    model = lda.LDA(n_topics, n_iter=passes, alpha=ALPHA, eta=BETA, random_state=0, refresh=10**9)
    return model.fit(X.toarray()).topic_word_


def fit_scikit_learn(X, n_topics, passes, _):
    from sklearn.decomposition import LatentDirichletAllocation as Rival

    model = Rival(n_topics, learning_method="batch", max_iter=passes, random_state=0).fit(X)
    return model.components_ / model.components_.sum(axis=1, keepdims=True)


def fit_nmf(X, n_topics, passes, _):
    from sklearn.decomposition import NMF

    model = NMF(
        n_topics,
        solver="mu",
        beta_loss="kullback-leibler",
        init="random",
        max_iter=passes,
        tol=0,
        random_state=0,
    ).fit(X.astype(float))
    return model.components_ / model.components_.sum(axis=1, keepdims=True)


FITS = {
    "sklvm": fit_sklvm,
    "tomotopy": fit_tomotopy,
    "lda": fit_lda,
    "scikit-learn": fit_scikit_learn,
    "NMF": fit_nmf,
}


def run_one(corpus, library, n_topics, passes, inference):
    """In a process of its own: perplexity and seconds, as JSON."""
    import warnings

    warnings.simplefilter("ignore")
    train, test, _ = CORPORA[corpus]()
    started = time.process_time()
    topics = FITS[library](train, n_topics, passes, inference)
    seconds = time.process_time() - started
    if isinstance(topics, tuple):
        topics, seconds = topics
    if topics.min() == 0:
        every_word = np.asarray(train.sum(axis=0), dtype=float).ravel() + BETA
        topics = 0.99 * topics + 0.01 * every_word / every_word.sum()
    perplexity = completion_perplexity(test, topics, ALPHA, random_state=1)
    print(json.dumps({"perplexity": perplexity, "seconds": seconds}))


def measure(corpus, library, n_topics, passes, inference=""):
    command = [sys.executable, __file__, "--one", corpus, library, str(n_topics), str(passes)]
    single = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    result = subprocess.run(
        [*command, inference], env={**os.environ, **single}, capture_output=True, text=True
    )
    if result.returncode:
        raise RuntimeError(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


QUICK = {
    ("small", 10): [
        ("sklvm", 20, "cvb0"),
        ("sklvm", 50, "gibbs"),
        ("sklvm", 50, "plsa"),
        ("tomotopy", 100, ""),
        ("scikit-learn", 5, ""),
        ("NMF", 50, ""),
    ]
}
FULL = {
    ("synthetic", 20): [
        ("sklvm", 50, "cvb0"),
        ("sklvm", 50, "map"),
        ("sklvm", 200, "gibbs"),
        ("sklvm", 50, "plsa"),
        ("tomotopy", 200, ""),
        ("scikit-learn", 10, ""),
        ("NMF", 50, ""),
    ],
    ("synthetic", 100): [("sklvm", 22, "cvb0"), ("tomotopy", 200, ""), ("scikit-learn", 10, "")],
    ("synthetic", 50): [("sklvm", 50, "cvb0"), ("tomotopy", 200, "")],
    ("reuters", 20): [
        ("sklvm", 50, "cvb0"),
        ("tomotopy", 200, ""),
        ("lda", 200, ""),
        ("scikit-learn", 10, ""),
    ],
    ("reuters", 100): [
        ("sklvm", 20, "cvb0"),
        ("sklvm", 20, "map"),
        ("tomotopy", 200, ""),
        ("scikit-learn", 10, ""),
    ],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small corpus, half a minute")
    parser.add_argument("--rounds", type=int, default=None)
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        corpus, library, n_topics, passes, inference = arguments.one
        run_one(corpus, library, int(n_topics), int(passes), inference)
        return
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    for (corpus, n_topics), contenders in (QUICK if arguments.quick else FULL).items():
        if corpus == "reuters" and importlib.util.find_spec("lda") is None:
            print("reuters: the package lda is not installed")
            continue
        print(f"{corpus}, K = {n_topics}: held-out completion perplexity, processor seconds")
        present = []
        for contender in contenders:
            rival = RIVALS.get(contender[0])
            if rival and importlib.util.find_spec(rival) is None:
                print(f"  {contender[0]} is not installed")
            else:
                present.append(contender)
        results = {contender: [] for contender in present}
        for _ in range(rounds):
            for contender in present:
                library, passes, inference = contender
                results[contender].append(measure(corpus, library, n_topics, passes, inference))
        for (library, passes, inference), runs in results.items():
            seconds = statistics.median(run["seconds"] for run in runs)
            perplexity = statistics.median(run["perplexity"] for run in runs)
            label = f"{library} {inference} {passes} passes"
            print(f"  {label:32s} {perplexity:8.1f} {seconds:8.3f} s", flush=True)


if __name__ == "__main__":
    main()
