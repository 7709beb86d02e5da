"""Where training starts, a row of weight 2 is the row twice."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

from sklvm import (
    BernoulliRBM,
    BinaryLatentVAE,
    DeepEnergyModel,
    GaussianRBM,
    SigmoidAutoencoder,
)
from sklvm.energies import (
    BernoulliLikelihood,
    BernoulliRBMEnergy,
    BinaryFactorEnergy,
    DecoderEnergy,
    GaussianLikelihood,
    GaussianRBMEnergy,
)
from sklvm.objectives import (
    NoiseContrastiveEstimation,
    ParallelTempering,
)
from sklvm.optimizers import SGD
from sklvm.training import Training
from sklvm.training.links import Centring, CompletedGaps, SparsityTarget

ENERGIES = {
    "Gaussian": DecoderEnergy(GaussianLikelihood(3), 2, (4,)),
    "diagonal": DecoderEnergy(GaussianLikelihood(3, "learn_diagonal"), 2, (4,)),
    "predicted": DecoderEnergy(GaussianLikelihood(3, "predict"), 2, (4,)),
    "Bernoulli": DecoderEnergy(BernoulliLikelihood(3), 2, (4,)),
    "factors": BinaryFactorEnergy(3, 2),
    "untied factors": BinaryFactorEnergy(3, 2, tied=False),
}


@pytest.fixture
def weighted(rng):
    """Rows of bits with whole weights, and the same rows as often as their weights say."""
    X = (rng.random((40, 3)) < [0.2, 0.5, 0.8]).astype(np.float64)
    counts = rng.integers(1, 5, 40)
    repeated = np.repeat(X, counts, axis=0)
    return X, counts.astype(np.float64), repeated, np.ones(len(repeated))


@pytest.mark.parametrize("energy", ENERGIES.values(), ids=ENERGIES.keys())
def test_parameters_of_decoders_and_factors(energy, weighted):
    X, weights, repeated, _ = weighted
    starts = [
        energy.init_parameters(rows, np.random.default_rng(0), sample_weight)
        for rows, sample_weight in ((X, weights), (repeated, None))
    ]
    assert_allclose(*starts, rtol=1e-9, atol=1e-12)


def trainings(energy, objective, weighted, links=()):
    X, weights, repeated, ones = weighted
    return [
        Training(energy, objective, SGD(), rows, w, np.random.default_rng(0), links=links)
        for rows, w in ((X, weights), (repeated, ones))
    ]


def test_states_of_the_links(weighted):
    energy = BernoulliRBMEnergy(3, 2)
    links = [CompletedGaps(energy), Centring(energy), SparsityTarget(energy, 0.1, 1.0)]
    ours, theirs = trainings(energy, ParallelTempering(5), weighted, links)
    assert_allclose(ours.theta, theirs.theta, rtol=1e-9)
    assert_allclose(ours.visible_mean, theirs.visible_mean, rtol=1e-9)
    (gaps, *means), (other_gaps, *other_means) = ours.links.states, theirs.links.states
    assert_allclose(gaps, other_gaps, rtol=1e-9)
    for mean, other in zip(means, other_means, strict=True):
        for block, other_block in zip(mean.blocks, other.blocks, strict=True):
            assert_allclose(block, other_block, rtol=1e-9)


def test_the_reference_of_tempering(weighted):
    ours, theirs = trainings(BernoulliRBMEnergy(3, 2), ParallelTempering(5), weighted)
    reference, other = (each.objective_state.reference for each in (ours, theirs))
    assert_allclose(reference, other, rtol=1e-9)


def test_the_learned_log_z(rng):
    """It starts between the mean log-ratios of data and of noise; the model is that of training."""

    class Standard:
        """The density N(0, I)."""

        def log_density(self, X):
            return -0.5 * np.einsum("ij,ij->i", X, X) - np.log(2 * np.pi)

        def sample(self, n_samples, rng):
            return rng.standard_normal((n_samples, 2))

    X = rng.standard_normal((500, 2)) + 3.0 * (np.arange(500) < 250)[:, np.newaxis]
    weights = np.where(np.arange(500) < 250, 9.0, 1.0)
    energy = GaussianRBMEnergy(2, 1, 1.0)
    objective = NoiseContrastiveEstimation(reference=Standard())
    training = Training(energy, objective, SGD(), X, weights, np.random.default_rng(0))
    draws = np.random.default_rng(1).standard_normal((100_000, 2))

    def log_ratio(rows):
        return -energy.evaluate(training.energy_theta, rows)[0] - Standard().log_density(rows)

    of_data, of_noise = np.average(log_ratio(X), weights=weights), log_ratio(draws).mean()
    own = training.parameters.own["log_partition_per_root_feature"]
    # The draws of noise are another five hundred.
    error = 0.5 * log_ratio(draws).std() / np.sqrt(500)
    assert float(own) * np.sqrt(2) == pytest.approx(0.5 * (of_data + of_noise), abs=5 * error)
    unweighted = np.mean(log_ratio(X))
    assert abs(unweighted - of_data) > 20 * error


DETERMINISTIC = [
    BernoulliRBM(3, binarize=0.0, objective="mle", max_iter=20),
    BernoulliRBM(3, binarize=0.0, objective="pseudo_likelihood", max_iter=20),
    BernoulliRBM(3, binarize=0.0, objective="ratio_matching", optimizer="lbfgs", max_iter=10),
    GaussianRBM(3, objective="mle", max_iter=20),
    GaussianRBM(3, objective="score_matching", max_iter=20),
    DeepEnergyModel(
        3,
        hidden_layer_sizes=(4,),
        partition="none",
        max_iter=20,
        objective="score_matching",
        sigma=1.0,
        optimizer="adam",
    ),
    DeepEnergyModel(
        3,
        hidden_layer_sizes=(4,),
        partition="none",
        optimizer="lbfgs",
        max_iter=10,
        objective="score_matching",
        sigma=1.0,
    ),
    BinaryLatentVAE(3, max_iter=50, optimizer="adam"),
    BinaryLatentVAE(3, optimizer="lbfgs", max_iter=10),
    SigmoidAutoencoder(3, max_iter=50, optimizer="adam"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", DETERMINISTIC, ids=str)
def test_deterministic_fits_are_equivalent_from_the_start_to_the_end(estimator):
    check_sample_weight_equivalence_on_dense_data(type(estimator).__name__, clone(estimator))
