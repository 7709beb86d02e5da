"""Pages of the gallery on random fields: their text says what their numbers say."""

import numpy as np
import pytest


@pytest.mark.slow
def test_probabilities_denoise_better_than_the_least_energy(run_page):
    errors = {
        name: error
        for name, (_, error, _) in run_page("denoising_with_random_fields")["results"].items()
    }
    weakest = errors.pop("iterated conditional modes")
    assert weakest > 2
    by_probability = [
        errors[name] for name in ("mean field", "belief propagation", "Gibbs sampling")
    ]
    assert max(by_probability) < errors["graph cut (least energy)"] < 1.5
    assert np.ptp(by_probability) < 0.15
    assert errors["learned by likelihood"] < errors["learned by pseudo-likelihood"]


@pytest.mark.slow
def test_words_are_read_better_than_letters(run_page):
    scores = run_page("tagging_sequences")["scores"]
    assert scores["as words"] > scores["one by one"] + 0.05


@pytest.mark.slow
def test_a_field_draws_a_border_from_scribbles(run_page):
    results = run_page("segmentation_from_scribbles")
    known = results["labels"].ravel() >= 0
    for mask in results["masks"].values():
        assert np.mean(mask.ravel()[known] == results["labels"].ravel()[known]) > 0.97

    def border(mask):
        image = mask.reshape(results["height"], results["width"])
        return sum(np.count_nonzero(np.diff(image, axis=axis)) for axis in (0, 1))

    lengths = {name: border(mask) for name, mask in results["masks"].items()}
    assert lengths["random field"] < 0.7 * lengths["pixel by pixel"]


@pytest.mark.slow
def test_the_coupling_of_an_ising_model_is_found_at_the_usual_rate(run_page):
    errors = run_page("ising_at_three_temperatures")["errors"]
    for of in errors.values():
        assert np.sqrt(of[-1] / of[0]) < 0.35
