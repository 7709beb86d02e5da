"""A parameter that several estimators share has one meaning, one wording and one default."""

import inspect
import re
from collections import defaultdict

import pytest

import sklvm

CLASSES = [value for name in sklvm.__all__ if isinstance(value := getattr(sklvm, name), type)]

# Parameters whose words differ between some estimators, and why.
OTHER_WORDS = {
    "boundary": "One refers to the other.",
    "random_state": {"GridConditionalRandomField": "Inference draws, too."},
    "code_max_iter": "Of coders with different certificates.",
    "code_tol": "Of coders with different certificates.",
    "inference": "Of labels on a grid, and of topics.",
    "n_channels": "Values of a pixel that filters share, that are smoothed apart, or given.",
    "positive_dict": "Of filters, and of atoms.",
    "activation": "The layers belong to different networks.",
    "alpha": "Penalties of codes and of weights; where codes vanish depends on the penalty.",
    "batch_size": {
        "BernoulliMixture": "None stands for full passes.",
        "CategoricalMixture": "None stands for full passes.",
        "GaussianMixture": "None stands for full passes.",
        "ConstrainedGaussian": "Two of its objectives have no batches.",
        "DictionaryLearner": "None stands for full passes.",
        "LatentDirichletAllocation": "Documents, folded in anew.",
        "ProbabilisticLatentSemanticAnalysis": "Documents, folded in anew.",
        "ConvolutionalDictionaryLearner": "None stands for full passes.",
        "GridConditionalRandomField": "Two of its criteria have no batches.",
    },
    "binarize": {
        "HopfieldNetwork": "States, or spins.",
        "BernoulliMixture": "EM draws no bits.",
        "BoltzmannMachine": "Bits, or spins.",
        "MarkovRandomField": "Two states, or spins.",
    },
    "centered": "What centring makes training indifferent to is another thing for bits.",
    "data_weight": "Of products with filters, or through a stack of them.",
    "dictionary": "What the identity does depends on the coder.",
    "filter_shape": "Of one layer, and of several.",
    "forgetting": "What was inferred before is out of date for another reason.",
    "hidden_layer_sizes": "The layers belong to different networks.",
    "init": "Atoms, or rows about which components start.",
    "image_shape": "Images, channels apart, or a grid of any dimension.",
    "max_iter": {
        "AdaptiveDeconvolutionalNetwork": "Passes over each layer.",
        "DeconvolutionalNetwork": "Passes over each layer.",
        "LayeredDictionaryLearner": "Passes over each layer.",
        "BernoulliMixture": "Iterations of EM.",
        "CategoricalMixture": "Iterations of EM.",
        "GaussianMixture": "Iterations of EM.",
        "ARDSparseCoder": "Steps of the coder of a row.",
        "ChainConditionalRandomField": "Iterations of L-BFGS alone.",
        "ConstrainedGaussian": "Newton steps, or epochs.",
        "ConvolutionalSparseCoder": "Iterations of the coder of an image.",
        "DictionaryLearner": "Passes of alternating minimisation.",
        "LayeredSparseCoder": "Iterations of the coder of a row.",
        "SparseCoder": "Iterations of the coder of a row.",
        "VAETransformer": "A random criterion, which L-BFGS cannot minimise.",
        "LatentDirichletAllocation": "Passes over documents.",
        "ProbabilisticLatentSemanticAnalysis": "Passes over documents.",
        "ConvolutionalDictionaryLearner": "Passes of alternating minimisation.",
        "GridConditionalRandomField": "Iterations, or passes over images.",
    },
    "n_components": {
        "AdaptiveDeconvolutionalNetwork": "Of several layers.",
        "DeconvolutionalNetwork": "Of several layers.",
        "LayeredDictionaryLearner": "Of several layers.",
        "BernoulliMixture": "Components of a mixture.",
        "CategoricalMixture": "Components of a mixture.",
        "GaussianMixture": "Components of a mixture.",
        "MeanCovarianceRBM": "One of two kinds of hidden units, which may be left out.",
        "BinaryLatentVAE": "Latent variables.",
        "BoltzmannMachine": "Hidden units, of which there may be none.",
        "DictionaryLearner": "Atoms.",
        "VAETransformer": "Latent variables.",
        "ZCAWhitener": "Principal directions.",
        "LatentDirichletAllocation": "Topics.",
        "ProbabilisticLatentSemanticAnalysis": "Topics.",
        "ConvolutionalDictionaryLearner": "Filters.",
    },
    "method": "Of coding, and of whitening.",
    "n_importance_samples": "One of the two is exact for few components.",
    "n_factors": "Of a covariance, and filters of hidden units.",
    "n_jobs": {
        "AdaptiveDeconvolutionalNetwork": "Blocks of rows, and threads of the coder.",
        "DeconvolutionalNetwork": "Blocks of rows, and threads of the coder.",
        "LayeredDictionaryLearner": "Blocks of rows, and threads of the coder.",
        "BernoulliMixture": "Blocks of rows on any joblib backend, not threads.",
        "CategoricalMixture": "Blocks of rows on any joblib backend, not threads.",
        "GaussianMixture": "Blocks of rows on any joblib backend, not threads.",
        "DictionaryLearner": "Blocks of rows on any joblib backend, not threads.",
        "LatentDirichletAllocation": "Blocks of rows on any joblib backend, not threads.",
        "ProbabilisticLatentSemanticAnalysis": "Blocks of rows on any joblib backend, not threads.",
        "ConvolutionalDictionaryLearner": "Blocks of images on any joblib backend, not threads.",
    },
    "objective": "Which criteria fit, and which is best, depends on the energy.",
    "optimizer": "Which optimisers fit, and which is best, depends on the criterion.",
    "partition": {
        "MarkovRandomField": "Exact on strips, too.",
        "SigmoidAutoencoder": "By one of its criteria only is it a density.",
    },
    "penalty": "One refers to the other.",
    "positive": {
        "DictionaryLearner": "Goes with non-negative atoms.",
        "SparseCoder": "Has constraints that refuse it.",
        "ConvolutionalDictionaryLearner": "Goes with non-negative filters.",
    },
    "prior_strength": "Of means of bits, and of covariances.",
    "regularization": "Of a covariance that whitens, of one that has zeros, and of components.",
    "shuffle": {
        "ConvolutionalDictionaryLearner": "Full passes have no order.",
        "DictionaryLearner": "Full passes have no order.",
    },
    "sigma": "Which of σ's forms there are depends on the model.",
    "solver": "One refers to the other.",
    "states": "Labels and spins, or bits and spins.",
    "structure": "Of a precision matrix, or of a graph.",
    "tol": {
        "AdaptiveDeconvolutionalNetwork": "Relative to the criterion of zero codes.",
        "DeconvolutionalNetwork": "Relative to the criterion of zero codes.",
        "LayeredDictionaryLearner": "Relative to the criterion of zero codes.",
        "BernoulliMixture": "Of the bound, in nats a row.",
        "CategoricalMixture": "Of the bound, in nats a row.",
        "GaussianMixture": "Of the bound, in nats a row.",
        "ARDSparseCoder": "Of the evidence of a row.",
        "ChainConditionalRandomField": "Of a gradient.",
        "ConstrainedGaussian": "Of a residual.",
        "ConvolutionalSparseCoder": "Of a certificate.",
        "DictionaryLearner": "Relative to the criterion of zero codes.",
        "LayeredSparseCoder": "Of a certificate, or a violation.",
        "SparseCoder": "Of a certificate.",
        "LatentDirichletAllocation": "In nats a word.",
        "ProbabilisticLatentSemanticAnalysis": "In nats a word.",
        "ConvolutionalDictionaryLearner": "Relative to the criterion of zero codes.",
        "GridConditionalRandomField": "Of a gradient.",
    },
    "weight_decay": {
        "BoltzmannMachine": "Its couplings, by J.",
        "MarkovRandomField": "Its couplings, by J.",
    },
    "visible": {"GatedRBM": "Rows are pairs of x and y."},
    "verbose": {
        "AdaptiveDeconvolutionalNetwork": "Passes, not epochs.",
        "DeconvolutionalNetwork": "Passes, not epochs.",
        "LayeredDictionaryLearner": "Passes, not epochs.",
        "BernoulliMixture": "No log Z to be estimated.",
        "CategoricalMixture": "No log Z to be estimated.",
        "GaussianMixture": "No log Z to be estimated.",
        "BinaryLatentVAE": "No log Z to be estimated.",
        "ChainConditionalRandomField": "Iterations, not epochs.",
        "DictionaryLearner": "Iterations, not epochs.",
        "VAETransformer": "No log Z to be estimated.",
        "LatentDirichletAllocation": "No log Z to be estimated.",
        "ProbabilisticLatentSemanticAnalysis": "No log Z to be estimated.",
        "ConvolutionalDictionaryLearner": "Iterations, not epochs.",
        "GridConditionalRandomField": "Iterations, not epochs.",
    },
}

OTHER_DEFAULTS = {
    "alpha": "Relative to the data where the dictionary is dense; a layer has the scale of codes.",
    "boundary": {
        "AdaptiveDeconvolutionalNetwork": "That of the paper.",
        "DeconvolutionalNetwork": "That of the paper.",
    },
    "code_max_iter": "A step for images costs more, and learning wants less precision.",
    "code_tol": "Learning of filters goes on well with less precise codes.",
    "inference": "Of labels on a grid, and of topics.",
    "n_channels": {"GridConditionalRandomField": "Found from the width, labels being apart."},
    "activation": "Densities want smooth units, decoders train faster with rectified ones.",
    "batch_size": {
        "BernoulliMixture": "Full passes, which are exact.",
        "CategoricalMixture": "Full passes, which are exact.",
        "GaussianMixture": "Full passes, which are exact.",
        "ConstrainedGaussian": "Its rows are cheap.",
        "DictionaryLearner": "Full passes, which are exact.",
        "LatentDirichletAllocation": "Full passes, in which words keep their topics.",
        "ProbabilisticLatentSemanticAnalysis": "Full passes, in which words keep their topics.",
        "ConvolutionalDictionaryLearner": "Full passes, which are exact.",
        "GridConditionalRandomField": "A row is an image with a label for each pixel.",
    },
    "forgetting": "Codes of an early dictionary are worse than topics of an early model.",
    "hidden_layer_sizes": "An encoder's layer may be as wide as data; an energy's is paid for.",
    "init": "Atoms, or rows about which components start.",
    "max_iter": "Epochs, Newton steps and iterations of a coder cost different things.",
    "method": "Of coding, and of whitening.",
    "n_components": "Latent variables are fewer than hidden units; whitening keeps all.",
    "objective": "The best criterion depends on the energy.",
    "optimizer": {
        "BernoulliMixture": "Its statistics are those of complete data.",
        "CategoricalMixture": "Its statistics are those of complete data.",
        "GaussianMixture": "Its statistics are those of complete data.",
    },
    "prior_strength": "Bits that are never on need a prior, covariances have a floor.",
    "regularization": "A density has to be proper by default; a whitener inverts.",
    "states": "Labels and spins, or bits and spins.",
    "structure": "Of a precision matrix, or of a graph.",
    "tol": "In the units of what it bounds.",
    "weight_decay": {
        "BoltzmannMachine": "Units may be alike in all rows.",
        "MarkovRandomField": "Sites may be alike in all rows.",
    },
    "visible": {
        "GatedRBM": "Pairs of images are real more often.",
        "SemiRestrictedRBM": "Couplings of real units are the ones that whiten.",
    },
    "n_iter_no_change": {
        "LatentDirichletAllocation": "A criterion of all documents, hardly noisy.",
        "ProbabilisticLatentSemanticAnalysis": "A criterion of all documents, hardly noisy.",
    },
}


def described(cls):
    """Parameter → its description, in the order of the class docstring."""
    sections = re.split(r"\n(\w[\w ]*)\n-{3,}\n", inspect.getdoc(cls))
    body = sections[sections.index("Parameters") + 1]
    words = {}
    for names, text in re.findall(r"^(\S[^:\n]*) : .*\n((?:(?: .*)?\n?)*)", body, re.M):
        words.update(dict.fromkeys(names.split(", "), " ".join(text.split())))
    return words


def defaults(cls):
    parameters = inspect.signature(cls.__init__).parameters
    return {name: p.default for name, p in parameters.items() if name != "self"}


def by_value(of, exempt):
    """Parameter → value → the estimators that have it so, exempt ones apart."""
    table = defaultdict(lambda: defaultdict(set))
    for cls in CLASSES:
        for name, value in of(cls).items():
            reasons = exempt.get(name, {})
            if isinstance(reasons, dict) and cls.__name__ not in reasons:
                table[name][repr(value)].add(cls.__name__)
    return table


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_parameter_is_described_and_in_its_order(cls):
    assert list(described(cls)) == list(defaults(cls))


@pytest.mark.parametrize(
    ("of", "exempt"),
    [(described, OTHER_WORDS), (defaults, OTHER_DEFAULTS)],
    ids=["words", "default"],
)
def test_what_is_shared_is_the_same_in_all_estimators(of, exempt):
    different = {
        name: dict(values) for name, values in by_value(of, exempt).items() if len(values) > 1
    }
    assert different == {}


@pytest.mark.parametrize(
    ("of", "exempt"),
    [(described, OTHER_WORDS), (defaults, OTHER_DEFAULTS)],
    ids=["words", "default"],
)
def test_every_exception_is_needed(of, exempt):
    """An estimator that has come to agree with the others is no exception any more."""
    known = {cls.__name__: of(cls) for cls in CLASSES}
    common = by_value(of, exempt)
    for name, reasons in exempt.items():
        if isinstance(reasons, str):
            assert len({repr(of[name]) for of in known.values() if name in of}) > 1, name
            continue
        for estimator in reasons:
            assert repr(known[estimator][name]) not in common[name], (name, estimator)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_parameter_is_constrained_and_nothing_else(cls):
    """By the tables of all bases together; each class states its own entries only."""
    assert set(cls._parameter_constraints) == set(defaults(cls))
