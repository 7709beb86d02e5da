"""A search by a score that is not normalised says so, and nothing else does."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklvm import DeepEnergyModel, DictionaryLearner, ZCAWhitener

X = np.random.default_rng(0).standard_normal((60, 3))
UNNORMALISED = [
    (DictionaryLearner(3, max_iter=3, tol=0), {"alpha": [0.1, 0.3]}),
    (
        DeepEnergyModel(2, hidden_layer_sizes=(), partition="none", max_iter=2),
        {"n_components": [2, 3]},
    ),
]


@pytest.mark.parametrize(("model", "grid"), UNNORMALISED, ids=["dictionary", "deep"])
def test_a_search_by_it_warns(model, grid):
    with pytest.warns(UserWarning, match="does not compare across hyper-parameters"):
        GridSearchCV(model, grid, cv=2).fit(X)
    assert np.isfinite(model.fit(X).score(X))


def test_normalised_scores_and_other_scorings_are_quiet():
    GridSearchCV(ZCAWhitener(), {"regularization": [0.1, 0.2]}, cv=2).fit(X)
    cross_val_score(UNNORMALISED[0][0], X, cv=2, scoring=lambda model, X, y=None: 1.0)
