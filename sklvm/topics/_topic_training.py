"""Training of topic models: what is particular to them."""

import numpy as np

from sklvm.topics._held_out import completion_log_probabilities, halves
from sklvm.topics._start import early_topics
from sklvm.training import StatisticsTraining

__all__ = ["TopicTraining"]


class TopicTraining(StatisticsTraining):
    """Learning by statistics, with the criterion in nats a word.

    Held-out documents are judged by the second half of their words, given the first half. Learning
    in batches begins with topics that are found in some of the documents.

    Parameters
    ----------
    mean_length : float
        Mean number of words of a document.
    dtype : dtype
        That of the data.
    """

    def __init__(self, *args, mean_length, dtype, **options):
        self.mean_length, self.dtype = mean_length, dtype
        self._divided = None
        super().__init__(*args, **options)

    def evaluate(self, X, weights, batch_size):
        if self._divided is None or self._divided[0] is not X:
            self._divided = (X, *halves(X, np.random.default_rng(0)))
        _, observed, held_out = self._divided
        log_p = completion_log_probabilities(self.model, self.theta, observed, held_out)
        n_words = held_out.sum(axis=1) @ weights
        return float(-(weights @ log_p) / n_words) if n_words > 0 else 0.0

    def forget_rows(self):
        super().forget_rows()
        self._divided = None

    def __getstate__(self):
        return {**super().__getstate__(), "_divided": None}

    def _online_pass(self, X, weights, batches):
        if self.theta.n_passes == 0:
            self.theta = early_topics(self.model, self.theta, X, weights, self.rng)
        super()._online_pass(X, weights, batches)

    def _note_objective(self, batches, statistics=None):
        super()._note_objective(batches, statistics)
        self.objective /= self.mean_length
