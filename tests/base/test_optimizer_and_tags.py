"""What an estimator offers follows its optimiser: gaps and streams need one that takes batches."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags

from sklvm import BernoulliRBM, BinaryLatentVAE, GaussianRBM
from sklvm.optimizers import LBFGS, SGD

RBMS = [
    BernoulliRBM(2, binarize=0.0, objective="mle", max_iter=20),
    GaussianRBM(2, objective="mle", max_iter=20),
]


@pytest.mark.parametrize("model", RBMS, ids=str)
def test_missing_entries_are_allowed_where_they_can_be_drawn(model):
    for optimizer, is_allowed in (
        (LBFGS(), False),
        ("lbfgs", False),
        ("adam", True),
        (SGD(), True),
    ):
        changed = clone(model).set_params(optimizer=optimizer)
        assert get_tags(changed).input_tags.allow_nan is is_allowed


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model", [*RBMS, BinaryLatentVAE(2, max_iter=50, optimizer="adam")], ids=str
)
@pytest.mark.parametrize(
    "check",
    [checks.check_estimators_nan_inf, checks.check_n_features_in, checks.check_estimators_dtypes],
    ids=lambda check: check.__name__,
)
def test_full_batches_pass_the_checks_of_gaps_and_streams(model, check):
    full = clone(model).set_params(optimizer="lbfgs", max_iter=3)
    check(type(full).__name__, full)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_model_fitted_to_complete_rows_fills_gaps_all_the_same(rng):
    X = rng.standard_normal((40, 3))
    model = GaussianRBM(2, objective="mle", optimizer="lbfgs", max_iter=5, random_state=0).fit(X)
    gappy = np.where(np.eye(40, 3), np.nan, X)
    with pytest.raises(ValueError, match="X contains NaN"):
        model.transform(gappy)
    filled = model.impute(gappy, random_state=0)
    assert np.isfinite(filled).all()
    assert np.isfinite(model.transform(filled)).all()
    assert np.isfinite(model.energy(gappy)).all()
