"""Topics to begin with, where not all documents are there or not all are looked at together."""

import numpy as np

from sklvm.topics._collapsed import CollapsedExpectation

__all__ = ["early_topics"]

MAX_DOCUMENTS, N_PASSES = 1000, 20


def early_topics(model, theta, X, weights, rng):
    """Topics of up to 1,000 documents by 20 passes of collapsed variational Bayes.

    From random topics alone a stream would hardly leave what all documents have in common.
    """
    collapsed = CollapsedExpectation(model.n_topics, model.seed)
    if len(weights) > MAX_DOCUMENTS:
        rows = np.sort(rng.choice(len(weights), MAX_DOCUMENTS, replace=False))
        X, weights = X[rows], weights[rows]
    local = None
    for _ in range(N_PASSES + 1):
        _, statistics, local = collapsed.expect(theta, X, weights, local)
        theta = collapsed.maximize(statistics, theta)
    return theta
