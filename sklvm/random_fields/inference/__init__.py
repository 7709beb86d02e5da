"""Inference in random fields: labels of least energy, marginals, log Z and its bounds."""

from sklvm.random_fields.inference._base import Inference
from sklvm.random_fields.inference._belief_propagation import BeliefPropagation
from sklvm.random_fields.inference._exact import Exact
from sklvm.random_fields.inference._gibbs_sampling import GibbsSampling
from sklvm.random_fields.inference._graph_cut import GraphCut
from sklvm.random_fields.inference._iterated_conditional_modes import IteratedConditionalModes
from sklvm.random_fields.inference._mean_field import MeanField
from sklvm.random_fields.inference._pairwise_model import Marginals, PairwiseModel

__all__ = [
    "INFERENCES",
    "BeliefPropagation",
    "Exact",
    "GibbsSampling",
    "GraphCut",
    "Inference",
    "IteratedConditionalModes",
    "Marginals",
    "MeanField",
    "PairwiseModel",
]

INFERENCES = {
    "belief_propagation": BeliefPropagation,
    "exact": Exact,
    "gibbs": GibbsSampling,
    "graph_cut": GraphCut,
    "icm": IteratedConditionalModes,
    "mean_field": MeanField,
}
