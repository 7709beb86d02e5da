"""A warning points at the line of the user's script from which it came."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklvm import ARDSparseCoder, DictionaryLearner, GaussianMixture

X = np.random.default_rng(0).standard_normal((30, 4))
DICTIONARY = np.random.default_rng(1).standard_normal((6, 4))


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: GaussianMixture(3, max_iter=1).fit(X), id="fit"),
        pytest.param(
            lambda: make_pipeline(StandardScaler(), GaussianMixture(3, max_iter=1)).fit(X),
            id="fit in a pipeline",
        ),
        pytest.param(
            lambda: DictionaryLearner(3, alpha=0.1, max_iter=1).fit_transform(X),
            id="fit_transform",
        ),
        pytest.param(
            lambda: ARDSparseCoder(DICTIONARY, max_iter=1).fit(X).transform(X), id="transform"
        ),
    ],
)
def test_warnings_point_at_the_call(call):
    with pytest.warns(ConvergenceWarning) as caught:
        call()
    assert {warning.filename for warning in caught} == {__file__}
