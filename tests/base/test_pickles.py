"""Saved models: the version they carry, and files that hold no code."""

import pickle
import warnings

import numpy as np
import pytest

from sklvm import BernoulliRBM, SparseCoder
from sklvm.base import _estimators


@pytest.fixture
def coder(rng):
    return SparseCoder(rng.standard_normal((4, 3)), alpha=0.1).fit(rng.standard_normal((5, 3)))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_pickle_of_another_version_warns_and_names_both(coder, monkeypatch):
    monkeypatch.setattr(_estimators, "__version__", "0.0.7")
    saved = pickle.dumps(coder)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match=r"SparseCoder was saved by sklvm 0\.0\.7, and is loaded"):
        loaded = pickle.loads(saved)
    np.testing.assert_array_equal(loaded.dictionary, coder.dictionary)
    assert "_sklvm_version" not in vars(loaded)


def test_a_pickle_of_this_version_does_not_warn(coder, rng):
    X = rng.standard_normal((5, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = pickle.loads(pickle.dumps(coder))
    np.testing.assert_array_equal(loaded.transform(X), coder.transform(X))


def test_skops_saves_and_loads_a_fitted_machine(rng):
    skops = pytest.importorskip("skops.io")
    bits = (rng.random((40, 6)) < 0.5).astype(float)
    model = BernoulliRBM(3, max_iter=2, random_state=0).fit(bits)
    saved = skops.dumps(model)
    loaded = skops.loads(saved, trusted=skops.get_untrusted_types(data=saved))
    np.testing.assert_array_equal(loaded.transform(bits), model.transform(bits))
    np.testing.assert_array_equal(loaded.score_samples(bits), model.score_samples(bits))
