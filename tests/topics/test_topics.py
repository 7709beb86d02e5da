"""Topic models against sums over all topics, closed forms, other libraries, and themselves."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, vstack
from scipy.special import gammaln
from sklearn.base import clone
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklvm import LatentDirichletAllocation, ProbabilisticLatentSemanticAnalysis
from sklvm.topics._expectation import TopicExpectation
from sklvm.topics._held_out import halves

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

INFERENCES = ["cvb0", "gibbs", "map", "vb"]
MODELS = [
    *[LatentDirichletAllocation(4, inference=name, random_state=0) for name in INFERENCES],
    ProbabilisticLatentSemanticAnalysis(4, random_state=0),
]
every_model = pytest.mark.parametrize(
    "model", MODELS, ids=[getattr(m, "inference", "plsa") for m in MODELS]
)


def draw_corpus(n, rng, topics, alpha=0.15, length=60):
    shares = rng.dirichlet(np.full(len(topics), alpha), n)
    return csr_array(np.array([rng.multinomial(rng.poisson(length), p) for p in shares @ topics]))


@pytest.fixture(scope="module")
def topics():
    """Four topics of 40 words, each with ten of its own."""
    rng = np.random.default_rng(0)
    return np.array([rng.dirichlet(np.where(np.arange(40) // 10 == k, 2, 0.02)) for k in range(4)])


@pytest.fixture(scope="module")
def corpus(topics):
    return draw_corpus(300, np.random.default_rng(1), topics)


def matched(found, topics):
    """For each true topic, the least total variation to a found one."""
    return 0.5 * np.abs(found[:, np.newaxis] - topics).sum(axis=2).min(axis=0)


@every_model
def test_planted_topics_are_found(model, corpus, topics):
    fitted = clone(model).fit(corpus)
    assert_allclose(fitted.components_.sum(axis=1), 1)
    assert np.all(matched(fitted.components_, topics) < 0.12)


@every_model
def test_dense_and_sparse_counts_of_any_type_are_the_same(model, corpus):
    expected = clone(model).set_params(max_iter=5).fit(corpus)
    for X in (corpus.toarray(), corpus.astype(float), corpus.tocsc()):
        fitted = clone(model).set_params(max_iter=5).fit(X)
        assert_array_equal(fitted.components_, expected.components_)
        assert_array_equal(fitted.transform(X), expected.transform(corpus))
    single = clone(model).set_params(max_iter=5).fit(corpus.astype(np.float32))
    assert single.components_.dtype == single.transform(corpus.astype(np.float32)).dtype == "f4"


@every_model
def test_one_topic_is_the_unigram_model(model, corpus):
    X = corpus[:60]
    fitted = clone(model).set_params(n_components=1).fit(X)
    counts = np.asarray(X.sum(axis=0)).ravel()
    beta = getattr(fitted, "topic_word_prior_", 0.0)
    unigram = (counts + beta) / (counts + beta).sum()
    assert_allclose(fitted.components_[0], unigram, rtol=1e-9)
    assert_allclose(fitted.score_samples(X), X @ np.log(unigram), rtol=1e-9)


@every_model
def test_documents_without_words_have_the_proportions_of_the_prior(model, corpus):
    X = vstack([corpus[:20], csr_array((1, 40), dtype=corpus.dtype)], format="csr")
    fitted = clone(model).fit(X)
    prior = getattr(fitted, "doc_topic_prior_", np.ones(4))
    assert_allclose(fitted.transform(X)[-1], prior / prior.sum())
    assert fitted.score_samples(X)[-1] == 0


@every_model
def test_scores_of_a_corpus_add_up_over_its_parts(model, corpus):
    X = corpus[:60]
    fitted = clone(model).set_params(max_iter=5).fit(X)
    scores = fitted.score_samples(X)
    for part in (slice(0, 7), slice(7, 60)):
        assert_allclose(fitted.score_samples(X[part]), scores[part], rtol=1e-12)
    assert fitted.perplexity(X) == pytest.approx(np.exp(-scores.sum() / X.sum()))


@pytest.mark.parametrize("model", MODELS[2:], ids=["map", "vb", "plsa"])
def test_a_document_of_weight_two_is_two_documents(model, corpus):
    X, weights = corpus[:40], np.tile([1, 2], 20)
    weighted = clone(model).fit(X, sample_weight=weights)
    repeated = clone(model).fit(X[np.repeat(np.arange(40), weights)])
    assert_allclose(weighted.components_, repeated.components_, rtol=1e-7, atol=1e-12)


def test_expectation_maximisation_never_lowers_the_likelihood(corpus):
    model = ProbabilisticLatentSemanticAnalysis(4, tol=0, max_iter=60, random_state=0)
    history = model.fit(corpus).history_["objective"]
    assert np.all(np.diff(history) <= 1e-12)


def test_the_log_likelihood_is_minus_a_kullback_leibler_divergence_up_to_a_constant(corpus):
    """L = Σ n log(n/n_d) − KL(N ‖ diag(n_d) θφ), and no other factorisation does better nearby."""
    model = ProbabilisticLatentSemanticAnalysis(4, tol=1e-9, max_iter=3000, random_state=0)
    model.fit(corpus)
    N = corpus.toarray().astype(float)
    mean = N.sum(axis=1, keepdims=True) * model.inverse_transform(model.transform(corpus))
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = np.where(N > 0, N * np.log(N / mean), 0).sum() - N.sum() + mean.sum()
        constant = np.where(N > 0, N * np.log(N / N.sum(axis=1, keepdims=True)), 0).sum()
    assert model.score_samples(corpus).sum() == pytest.approx(constant - divergence, rel=1e-8)
    W, H = mean.sum(axis=1, keepdims=True) * model.transform(corpus), model.components_
    nmf = NMF(4, init="custom", solver="mu", beta_loss="kullback-leibler", max_iter=200, tol=0)
    W = nmf.fit_transform(N, W=np.ascontiguousarray(W), H=np.ascontiguousarray(H))
    reached = nmf.reconstruction_err_**2 / 2
    assert divergence - reached < 1e-5 * divergence


def test_maximum_a_posteriori_without_priors_is_maximum_likelihood(corpus):
    plsa = ProbabilisticLatentSemanticAnalysis(4, max_iter=10, tol=0, random_state=0).fit(corpus)
    X, model = corpus.astype(float), TopicExpectation(4, plsa._training.model.seed)
    theta, weights, local = model.start(40, 0.0, 0.0), np.ones(300), None
    for _ in range(10):
        _, statistics, local = model.expect(theta, X, weights, local)
        theta = model.maximize(statistics, theta)
    assert_allclose(theta.table()[:, :4].T, plsa.components_, rtol=1e-9, atol=1e-15)


def test_the_score_is_the_sum_over_all_topics(corpus):
    """3⁵ assignments of the topics of five words; the random numbers are the same for all rows."""
    model = LatentDirichletAllocation(3, n_particles=4000, doc_topic_prior=[0.1, 0.3, 0.6])
    model.fit(corpus)
    words, alpha = [0, 0, 11, 25, 39], model.doc_topic_prior_
    total = 0.0
    for z in product(range(3), repeat=5):
        N = np.bincount(z, minlength=3)
        log_p = gammaln(alpha.sum()) - gammaln(5 + alpha.sum())
        log_p += (gammaln(N + alpha) - gammaln(alpha)).sum()
        total += np.exp(log_p) * np.prod(model.components_[z, words])
    row = np.bincount(words, minlength=40)[np.newaxis]
    assert model.score_samples(row)[0] == pytest.approx(np.log(total), abs=0.05)


def test_the_variational_bound_is_below_the_sum_over_all_topics():
    rng = np.random.default_rng(0)
    model = TopicExpectation(3, 0, variational=True)
    theta = model.start(5, 0.7, 0.01)._replace(
        word_counts=np.pad(1e6 * rng.dirichlet(np.ones(5), 3).T, [(0, 0), (0, 5)]), n_passes=1
    )
    table = theta.variational_table()[:, :3]
    words = [0, 1, 1, 4]
    total = 0.0
    for z in product(range(3), repeat=4):
        N = np.bincount(z, minlength=3)
        log_p = gammaln(2.1) - gammaln(6.1) + (gammaln(N + 0.7) - gammaln(0.7)).sum()
        total += np.exp(log_p) * np.prod(table[words, z])
    X = csr_array(np.bincount(words, minlength=5)[np.newaxis].astype(float))
    bound = -model.values(theta, X)[0]
    assert np.log(total) - 1 < bound < np.log(total)


def test_priors_are_learned():
    """Proportions of known concentration, under topics that hardly overlap."""
    rng = np.random.default_rng(0)
    topics = np.kron(np.eye(3), np.full(10, 0.1))
    alpha = np.array([0.2, 0.6, 1.5])
    shares = rng.dirichlet(alpha, 2000)
    X = np.array([rng.multinomial(80, p) for p in shares @ topics])
    model = LatentDirichletAllocation(
        3, doc_topic_prior="learn", topic_word_prior="learn", max_iter=150, tol=0, random_state=0
    ).fit(X)
    assert_allclose(np.sort(model.doc_topic_prior_), alpha, rtol=0.15)
    assert model.topic_word_prior_ != 0.01


@every_model
def test_the_seed_matters_and_the_number_of_workers_does_not(model, corpus):
    model = clone(model).set_params(max_iter=3)
    one = clone(model).fit(corpus).components_
    assert_array_equal(clone(model).set_params(n_jobs=2).fit(corpus).components_, one)
    assert not np.array_equal(clone(model).set_params(random_state=1).fit(corpus).components_, one)


@every_model
def test_a_stream_finds_the_topics(model, topics):
    rng = np.random.default_rng(2)
    stream = clone(model)
    for _ in range(12):
        stream.partial_fit(draw_corpus(150, rng, topics))
    assert np.all(matched(stream.components_, topics) < 0.12)
    with pytest.raises(ValueError, match="expecting 40 features"):
        stream.partial_fit(np.ones((2, 41)))


def test_early_stopping_keeps_the_best_topics(topics):
    X = draw_corpus(60, np.random.default_rng(0), topics)
    model = LatentDirichletAllocation(
        30, inference="map", early_stopping=True, validation_fraction=0.3, random_state=0
    ).fit(X)
    history = model.history_["validation_objective"]
    assert np.argmin(history) < len(history) - 1 < 99


def test_a_warm_start_goes_on(corpus):
    model = LatentDirichletAllocation(4, max_iter=5, tol=0, warm_start=True, random_state=0)
    first = model.fit(corpus).history_["objective"][-1]
    assert model.set_params(doc_topic_prior=0.2).fit(corpus).history_["objective"][-1] < first
    assert_allclose(model.doc_topic_prior_, 0.2)
    with pytest.raises(ValueError, match=r"n_components=5 .* 4 topics"):
        model.set_params(n_components=5).fit(corpus)


def test_halves_divide_the_words_of_each_document(corpus):
    observed, held_out = halves(corpus, np.random.default_rng(0))
    assert_array_equal((observed + held_out).toarray(), corpus.toarray())
    assert_array_equal(observed.sum(axis=1), corpus.sum(axis=1) // 2)


def test_completion_of_the_true_topics_is_nearly_the_best(corpus, topics):
    model = LatentDirichletAllocation(4, random_state=0).fit(corpus)
    test = draw_corpus(100, np.random.default_rng(3), topics)
    reached = model.completion_perplexity(test)
    unigram = LatentDirichletAllocation(1).fit(corpus).completion_perplexity(test)
    assert reached < 0.6 * unigram
    assert reached == model.completion_perplexity(test)


def test_coherence_by_hand():
    X = np.array([[1, 2, 0], [1, 0, 0], [3, 1, 0], [0, 0, 1]])
    model = ProbabilisticLatentSemanticAnalysis(1).fit(X)
    # In the order of their probability: words 0 and 1 in 3 and 2 documents, 2 of them the same.
    assert model.coherence(X, n_words=2, measure="umass")[0] == pytest.approx(np.log(3 / 3))
    expected = np.log((2 / 4) / (3 / 4 * 2 / 4)) / -np.log(2 / 4)
    assert model.coherence(X, n_words=2)[0] == pytest.approx(expected)
    pairs = [expected, -1, -1]
    assert model.coherence(X, n_words=3)[0] == pytest.approx(np.mean(pairs))


def test_drawn_documents_are_of_the_model(corpus):
    model = LatentDirichletAllocation(4, random_state=0).fit(corpus)
    X = model.sample(2000, random_state=0)
    assert X.sum() / 2000 == pytest.approx(model.mean_length_, rel=0.02)
    share = model.doc_topic_prior_ / model.doc_topic_prior_.sum()
    words = np.asarray(X.sum(axis=0)).ravel() / X.sum()
    assert_allclose(words, share @ model.components_, atol=0.01)
    assert_array_equal(model.sample(3, n_words=7, random_state=1).sum(axis=1), 7)


def test_in_a_pipeline_and_a_search():
    texts = ["cat dog cat mouse", "dog dog cat", "sun moon star", "moon star star sun"] * 8
    y = [0, 0, 1, 1] * 8
    model = make_pipeline(
        CountVectorizer(), LatentDirichletAllocation(2, random_state=0), LogisticRegression()
    )
    search = GridSearchCV(model, {"latentdirichletallocation__n_components": [1, 2]}, cv=2)
    assert search.fit(texts, y).best_params_ == {"latentdirichletallocation__n_components": 2}
    names = model[0].fit(texts).get_feature_names_out()
    words = search.best_estimator_[1].top_words(names, n_words=2)
    assert words.shape == (2, 2) and set(words.ravel()) <= set(names)


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({}, [[1, -1]], "Negative values.*down to -1"),
        ({}, [[0, 0]], "no words"),
        ({"doc_topic_prior": [0.1, 0.2]}, [[1, 1]], "3 numbers, one a topic"),
        ({"doc_topic_prior": [0.1, 0.2, -1]}, [[1, 1]], "must be positive"),
        ({"inference": "gibbs"}, [[0.5, 1]], r"inference='gibbs' draws .* whole counts.*0\.5"),
    ],
)
@pytest.mark.filterwarnings("ignore:X has entries that are not whole")
def test_bad_input_is_named(params, X, message):
    with pytest.raises(ValueError, match=message):
        LatentDirichletAllocation(3, **params).fit(X)


def test_gibbs_sampling_takes_no_weights(corpus):
    model = LatentDirichletAllocation(3, inference="gibbs", max_iter=2)
    with pytest.raises(ValueError, match="takes no sample_weight other than 1"):
        model.fit(corpus, sample_weight=np.full(300, 2.0))


def test_fractions_are_taken_with_a_warning(corpus):
    with pytest.warns(UserWarning, match="not whole numbers, such as TF-IDF"):
        model = LatentDirichletAllocation(3, max_iter=2).fit(corpus * 0.3)
    assert np.all(np.isfinite(model.score_samples(corpus * 0.3)))


def test_an_unfinished_fit_warns(corpus):
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        LatentDirichletAllocation(3, max_iter=2).fit(corpus)


def test_words_and_methods_are_checked(corpus):
    model = LatentDirichletAllocation(3, max_iter=2).fit(corpus)
    with pytest.raises(ValueError, match="the 40 words"):
        model.top_words(["a", "b"])
    with pytest.raises(ValueError, match="n_words must be an integer of at least 1, got 0"):
        model.coherence(corpus, n_words=0)
    with pytest.raises(ValueError, match="measure must be one of"):
        model.coherence(corpus, measure="c_v")
    with pytest.raises(ValueError, match="Z has 4 columns, and this"):
        model.inverse_transform(np.ones((2, 4)))
