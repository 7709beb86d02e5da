"""Pages of the gallery on variational auto-encoders: their text says what their numbers say."""

import numpy as np
import pytest


@pytest.mark.slow
def test_bits_drawn_once_are_learned_by_heart(run_page):
    results = run_page("digits_latent_space")
    models, bits = results["models"], results["test_bits"]
    anew, once, grey = (models[name] for name in list(models)[:3])
    assert once.history_["objective"][-1] < anew.history_["objective"][-1] - 2
    assert anew.score(bits) > max(once.score(bits), grey.score(bits)) + 1
    plane = models["drawn anew, 2 latent variables"]
    assert plane.score(bits) < anew.score(bits) - 30


@pytest.mark.slow
def test_beta_is_the_price_of_a_nat(run_page):
    results = run_page("how_beta_shapes_a_latent_space")
    told, models, bits = results["told"], results["models"], results["test"]
    assert np.all(np.diff(results["error"]) > 0)
    assert np.all(np.diff(told.sum(axis=1)) < 0)
    elbos = {beta: vae.elbo(bits).mean() for beta, vae in models.items()}
    assert max(elbos, key=elbos.get) == 1
    used = (told > 0.01).sum(axis=1)
    assert used[0] == 16
    assert used[-1] <= 2


@pytest.mark.slow
def test_paths_have_the_least_noise_and_tighter_bounds_the_best_scores(run_page):
    results = run_page("gradient_estimators")
    path, controlled, plain = (
        np.array(results["noise_of_depths"][name]) for name in results["ESTIMATORS"]
    )
    assert np.all(10 * path < controlled)
    assert np.all(10 * controlled < plain)
    path, controlled, plain, weighted = results["scores"].values()
    assert weighted > path > controlled > plain
