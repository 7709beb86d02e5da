"""The gallery's page on gated machines: its text says what its numbers say."""

import numpy as np
import pytest


@pytest.mark.slow
def test_a_gated_machine_moves_images_and_finds_waves(run_page):
    results = run_page("a_machine_that_moves_images")
    assert results["read"] > 0.99
    assert results["rebuilt"] < 0.01
    assert results["wrong"] < 0.02
    assert np.median(results["share"]) > 0.9
