"""The page on topics: what its text says is what its numbers say."""

import pytest

pytest.importorskip("lda")


@pytest.mark.slow
def test_priors_foretell_words_better_than_mended_topics(run_page):
    results = run_page("topics_of_news")
    none, nmf, plsa, lda = results["perplexities"].values()
    assert lda < 0.95 * min(nmf, plsa)
    assert max(nmf, plsa) < 0.7 * none
    for name, values in results["held_out"].items():
        gaps = [h / t for h, t in zip(values, results["training"][name], strict=True)]
        assert sorted(gaps) == gaps
    assert sorted(results["perplexity"], reverse=True) == results["perplexity"]
    assert results["perplexity"][-1] > lda
