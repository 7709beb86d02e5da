"""The gallery's pages on Boltzmann machines and Hopfield networks: text and numbers agree."""

import numpy as np
import pytest


@pytest.mark.slow
def test_letters_are_recalled_by_the_pseudo_inverse_alone(run_page):
    results = run_page("recall_of_letters")
    letters, rows = results["letters"], results["rows"]
    assert np.mean(rows["20% wrong"] != letters) == pytest.approx(0.2, abs=0.02)
    assert np.all(rows["pseudo-inverse"] == letters)
    assert np.all(rows["pseudo-inverse, upper half clamped"] == letters)
    assert not np.any(np.all(rows["Hebbian"] == letters, axis=1))
    loads, close, exact = results["loads"], results["close"], results["exact"]
    below, above = loads < 0.1, loads > 0.19
    assert np.min(np.array(close["hebbian"])[below]) > 0.95
    assert np.max(np.array(close["hebbian"])[above]) < 0.4
    assert np.min(np.array(exact["storkey"])[loads <= 0.25]) > 0.95
    assert np.min(np.array(exact["pseudo_inverse"])[loads <= 0.35]) > 0.95


@pytest.mark.slow
def test_half_a_digit_is_completed_better_than_by_independent_pixels(run_page):
    results = run_page("a_machine_given_half_a_digit")
    machine, independent, test = (results[name] for name in ("machine", "independent", "test"))
    assert machine.score(test) == pytest.approx(-18.15, abs=0.1)
    assert independent.score(test) == pytest.approx(-25.25, abs=0.1)
    assert results["wrong"] < 0.175 < 0.22 < results["guess"]
    assert results["right"].mean() > results["wrong_end"].mean() + 3
    assert results["log_p"].mean() > machine.score(results["noisy"]) + 20
