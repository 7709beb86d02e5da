"""The gallery's page on mixtures: its text says what its numbers say."""

import numpy as np
import pytest


@pytest.mark.slow
def test_a_mixture_completes_digits_and_its_score_chooses_its_size(run_page):
    results = run_page("digits_by_a_mixture")
    of_test = {size: test for size, (_, test) in results["scores"].items()}
    assert of_test[1] < of_test[10] < of_test[30] < of_test[60]
    assert of_test[60] == pytest.approx(-142, abs=2)
    originals, completed = results["originals"], results["completed"]
    hidden = results["hidden"]
    np.testing.assert_array_equal(completed[:, ~hidden], originals[:, ~hidden])
    mean = results["train"].mean(axis=0)
    error = np.mean((completed - originals)[:, hidden] ** 2)
    assert error < 0.8 * np.mean((mean - originals)[:, hidden] ** 2)
    # One component has to explain both halves.
    assert results["given"].mean() == pytest.approx(-76.4, abs=2)
    assert results["alone"].mean() == pytest.approx(-70.6, abs=2)
