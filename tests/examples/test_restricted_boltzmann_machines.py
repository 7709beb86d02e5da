"""Pages of the gallery on restricted Boltzmann machines: their text says what their numbers say."""

import numpy as np
import pytest


@pytest.mark.slow
def test_filters_of_patches_are_local_and_oriented(run_page):
    results = run_page("filters_of_patches")
    for measure, of_patches, of_filters in (
        (results["share_in_a_quarter"], 0.44, 0.85),
        (results["orientation"], 0.29, 0.83),
    ):
        assert np.median(measure(results["white"][:64])) == pytest.approx(of_patches, abs=0.01)
        filters = results["model"].components_
        assert np.median(measure(filters)) == pytest.approx(of_filters, abs=0.05)


@pytest.mark.slow
def test_hidden_units_beat_pixels_and_scikit_learns_machine(run_page):
    accuracy = run_page("digits_features")["accuracy"]
    pixels, theirs, ours = accuracy.values()
    assert ours > theirs > pixels
    assert ours == pytest.approx(0.954, abs=0.01)


@pytest.mark.slow
def test_the_machine_of_digits_completes_them_and_doubts_letters(run_page):
    results = run_page("digits_completed")
    originals, machine = results["originals"], results["machine"]
    given = np.where(results["lower_half"], np.nan, originals)
    means = machine.impute(given, random_state=0)
    hidden = np.isnan(given)
    # Nearer to what was hidden than the mean digit is.
    of_means = np.broadcast_to(results["train"].mean(axis=0), given.shape)
    error, baseline = (np.mean((x - originals)[hidden] ** 2) for x in (means, of_means))
    assert error < 0.8 * baseline
    areas = results["areas"]
    assert areas["their difference"] == pytest.approx(0.72, abs=0.03)
    assert areas["log p"] == pytest.approx(0.58, abs=0.03)
