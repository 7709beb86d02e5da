"""Which page of the user guide tells of an estimator, for the link on the estimator's own page."""

_PAGES = {
    "restricted_boltzmann_machines": ["BernoulliRBM", "GaussianRBM"],
    "energy_based_models": ["DeepEnergyModel"],
    "boltzmann_machines": [
        "BoltzmannMachine",
        "HopfieldNetwork",
        "SemiRestrictedRBM",
        "MeanCovarianceRBM",
        "GatedRBM",
    ],
    "deep_boltzmann_machines": ["DeepBeliefNetwork", "DeepBoltzmannMachine"],
    "variational_autoencoders": ["VAETransformer", "BinaryLatentVAE", "SigmoidAutoencoder"],
    "sparse_coding": ["SparseCoder", "DictionaryLearner", "ARDSparseCoder"],
    "convolutional_sparse_coding": [
        "ConvolutionalSparseCoder",
        "ConvolutionalDictionaryLearner",
        "TikhonovDetail",
    ],
    "layered_sparse_coding": [
        "LayeredSparseCoder",
        "LayeredDictionaryLearner",
        "DeconvolutionalNetwork",
        "AdaptiveDeconvolutionalNetwork",
    ],
    "mixtures": ["BernoulliMixture", "GaussianMixture", "CategoricalMixture"],
    "topics": ["LatentDirichletAllocation", "ProbabilisticLatentSemanticAnalysis"],
    "random_fields": [
        "MarkovRandomField",
        "ChainConditionalRandomField",
        "GridConditionalRandomField",
    ],
    "gaussians_and_whitening": ["ConstrainedGaussian", "ZCAWhitener"],
    "anomaly_detection": ["DensityOutlierDetector", "LocalDensityEnsemble"],
}

USER_GUIDE_PAGES = {name: page for page, names in _PAGES.items() for name in names}
