"""The pages of convolutional coding: what their text says is what their numbers say."""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_events_are_found_and_their_shapes_learned(run_page):
    page = run_page("events_in_a_signal")
    assert page["table"].max(axis=0).min() > 0.95
    assert page["rates"][0] > 0.98 and page["rates"][1] > 0.8
    assert page["Z"].nnz < 1.3 * len(page["onsets"])


@pytest.mark.slow
def test_images_are_denoised_and_completed(run_page):
    page = run_page("convolutional_filters")
    psnr = page["psnr"]
    assert psnr(page["denoised"]) > psnr(page["noisy"]) + 6
    assert psnr(page["filled"]) > psnr(page["smooth"]) + 8
