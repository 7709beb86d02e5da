"""What the estimators that learn a dictionary share."""

import numpy as np

from sklvm.base import StatisticsModel, row_blocks
from sklvm.sparse_coding._coding_model import unfinished_codes

__all__ = ["LearnedDictionaryModel"]


class LearnedDictionaryModel(StatisticsModel):
    """Base of the dictionary learners, dense and convolutional.

    A subclass implements ``_coding_options()``, the checked options of its sparse coding, and
    ``_results_of(local)``, the ``CodeResults`` of a block of rows.
    """

    def _check_parameters(self):
        super()._check_parameters()
        self._coding_options()

    def _stopping_rule(self, X, weights):
        """``tol`` is relative to the objective of codes that are all zero."""
        total = 0.0
        for rows in row_blocks(len(X), X.shape[1]):
            known = np.nan_to_num(X[rows])
            total += float(weights[rows] @ np.einsum("ij,ij->i", known, known))
        scale = 0.5 * total / float(weights.sum())
        return self.tol * scale, 1 if self.batch_size is None else 3

    def _diagnoses(self, monitor, X, weights):
        found = super()._diagnoses(monitor, X, weights)
        if monitor.records and self._training.local:
            results = [self._results_of(each) for each in self._training.local]
            certificates = np.concatenate([each[1] for each in results])
            found["certificates"] = unfinished_codes(certificates, self._coding, self._tol_names)
        return found
