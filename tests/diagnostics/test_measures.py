"""Each diagnosis on data whose answer is known, and quiet where all is well."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array

from sklvm.diagnostics import (
    Diagnosis,
    collapsed_latents,
    collapsed_scale,
    convergence,
    dead_units,
    empty_codes,
    noise_coverage,
    some_rows,
    tied_rows,
    unscaled_features,
)


def a_monitor(values, *, name="objective", converged=False, settled=False, interrupted=False):
    return SimpleNamespace(
        records=[{name: value} for value in values],
        max_iter=len(values),
        converged=converged,
        is_settled=settled,
        was_interrupted=interrupted,
    )


def a_learner(converged=None):
    return SimpleNamespace(converged=converged)


SLOPE = 10 - np.arange(12.0)
REST = 1 + 9 * np.exp(-np.arange(30.0))


@pytest.mark.parametrize("name", ["objective", "validation_objective"])
def test_a_criterion_that_falls_to_the_end_is_told_from_one_at_rest(name):
    falling = convergence(a_monitor(SLOPE, name=name), a_learner(), tol=0)
    assert falling.is_problem
    # From 10, the mean of the last third (2, 1, 0, −1) is 0.5, that of the third before it 4.5.
    assert falling.value == pytest.approx(4 / 9.5)
    assert "Raise max_iter" in falling.message
    at_rest = convergence(a_monitor(REST, name=name), a_learner(), tol=0)
    assert at_rest == Diagnosis(at_rest.value)
    assert at_rest.value < 0.01


def test_noise_is_no_fall():
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = convergence(a_monitor(rng.standard_normal(30)), a_learner(), tol=0)
        assert not found.is_problem


@pytest.mark.parametrize(
    "monitor",
    [a_monitor(SLOPE, converged=True), a_monitor(SLOPE, settled=True), a_monitor(SLOPE[:5])],
    ids=["stopped", "settled", "few epochs"],
)
def test_a_fit_that_ended_by_its_rule_or_was_short_is_quiet(monitor):
    assert not convergence(monitor, a_learner(), tol=0).is_problem


def test_nothing_is_said_of_a_fit_that_was_not_made_or_was_interrupted():
    assert convergence(a_monitor([]), a_learner(), tol=1.0) is None
    assert convergence(a_monitor(SLOPE, interrupted=True), a_learner(), tol=1.0) is None


def test_an_unmet_rule_is_a_problem_and_so_is_an_optimiser_that_says_so():
    assert convergence(a_monitor(REST), a_learner(), tol=1e-3).is_problem
    assert not convergence(a_monitor(REST, converged=True), a_learner(), tol=1e-3).is_problem
    assert convergence(a_monitor(REST), a_learner(converged=False), tol=0).is_problem
    assert not convergence(a_monitor(SLOPE), a_learner(converged=True), tol=0).is_problem


@pytest.mark.parametrize(
    ("scales", "sigma", "is_problem"),
    [
        ([1.0, 0.3, 0.01], None, False),
        ([1.0, 570.0, 0.1], None, True),
        ([1e-3, 2e-3, 1e-3], None, True),
        ([1.0, 0.3, 0.0], 1.0, False),
        ([1.0, 1.0, 1.0], 0.05, True),
        ([500.0, 400.0, 300.0], 100.0, False),
    ],
)
def test_scales_are_measured_in_the_models_unit(scales, sigma, is_problem):
    X = np.random.default_rng(0).standard_normal((400, 3)) * scales + 7
    X[::9, 0] = np.nan
    found = unscaled_features(X, sigma)
    assert found.is_problem == is_problem
    assert found.value == pytest.approx(max(scales) / (sigma or 1), rel=0.2)
    if is_problem:
        varying = np.nanstd(X, axis=0)
        assert f"from {varying.min():.3g} to {varying.max():.3g}" in found.message


def test_constant_features_have_no_scale():
    assert unscaled_features(np.ones((5, 2))) == Diagnosis(0.0)


def test_ties_are_counted_and_blamed_for_a_fall_that_grows():
    X = np.random.default_rng(0).standard_normal((100, 3))
    X[10:14] = X[0]
    falling = Diagnosis(0.8, True, "falling")
    assert tied_rows(X, Diagnosis(0.1)) == Diagnosis(0.05)
    assert tied_rows(X, falling).is_problem
    assert not tied_rows(X[14:], falling).is_problem


def test_dead_units_are_on_or_off_in_all_rows():
    rng = np.random.default_rng(0)
    means = rng.random((50, 6))
    means[:, 0], means[:, 1] = 1.0, 1e-5
    assert dead_units(means) == Diagnosis(2 / 6)
    means[:, 2:4] = 1 - 1e-6
    found = dead_units(means)
    assert found.value == 4 / 6
    assert found.message.startswith("4 of 6 hidden units")


def test_a_posterior_has_collapsed_where_no_latent_variable_tells_of_the_rows():
    rng = np.random.default_rng(0)
    means = 0.01 * rng.standard_normal((50, 4)) + rng.standard_normal(4)
    assert collapsed_latents(means).is_problem
    means[:, 2] = rng.standard_normal(50)
    assert collapsed_latents(means) == Diagnosis(0.75)


def test_a_scale_at_its_floor_has_collapsed():
    assert collapsed_scale(0.00105, 1e-3).is_problem
    assert collapsed_scale(np.array([0.5, 0.002]), 1e-3) == Diagnosis(2.0)


@pytest.mark.parametrize("as_sparse", [np.asarray, csr_array])
def test_codes_are_empty_where_most_rows_have_none(as_sparse):
    codes = np.zeros((100, 64))
    codes[:25, 3] = 1.0
    found = empty_codes(as_sparse(codes))
    assert found.is_problem
    assert found.value == pytest.approx(1 - 25 / 6400)
    # One atom of 64 in each row is sparse, but not empty.
    codes[:, 5] = 1.0
    assert not empty_codes(as_sparse(codes)).is_problem


def test_noise_has_to_cover_the_data_and_nothing_that_they_lack():
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((4, 4))
    X = rng.standard_normal((1000, 4)) @ mixing
    noise = rng.standard_normal((2000, 4)) @ mixing
    found = noise_coverage(X, noise)
    assert not found.is_problem
    assert 0.7 < found.value < 1
    assert noise_coverage(10 * X, noise).value == pytest.approx(100, rel=0.4)
    assert "does not cover" in noise_coverage(10 * X, noise).message
    constant = np.array(X)
    constant[:, 2] = 0
    assert "directions that the data lack" in noise_coverage(constant, noise).message
    # In no feature alone, but along one direction.
    flat = X @ np.linalg.inv(mixing)
    flat[:, 3] = 0
    assert noise_coverage(flat @ mixing, noise).is_problem
    # Of few rows in many dimensions only features are compared.
    assert not noise_coverage(X[:15], noise).is_problem


def test_some_rows_are_spread_over_all():
    X = np.arange(1000)[:, np.newaxis]
    assert some_rows(X, 11)[:, 0].tolist() == list(np.linspace(0, 999, 11).astype(int))
    assert some_rows(X[:5], 11) is not X
    assert len(some_rows(X[:5], 11)) == 5
