"""One flat vector, named views into it, and the objects that are nothing but parameters."""

from numbers import Real

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone

from sklvm._compat import Interval
from sklvm.layouts import ParameterLayout, Parameters
from sklvm.settings import InheritedTables, Settings, StringShorthandMixin, resolve

LAYOUT = ParameterLayout({"weights": (2, 3), "bias": (2,), "log_sigma": (), "none": (0, 4)})


def test_views_cover_the_vector_without_overlap():
    theta = np.arange(float(LAYOUT.size))
    views = LAYOUT.views(theta)
    assert LAYOUT.size == 9
    assert {name: view.shape for name, view in views.items()} == dict(LAYOUT)
    assert_array_equal(np.concatenate([view.ravel() for view in views.values()]), theta)
    for view in views.values():
        assert np.shares_memory(view, theta) or view.size == 0


def test_writing_to_a_view_writes_to_the_vector():
    theta = np.zeros(LAYOUT.size)
    LAYOUT.views(theta)["weights"][1, 0] = 7
    LAYOUT.views(theta)["log_sigma"][...] = 5
    assert_array_equal(theta, [0, 0, 0, 7, 0, 0, 0, 0, 5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pack_is_the_inverse_of_views(dtype, rng):
    theta = rng.standard_normal(LAYOUT.size).astype(dtype)
    packed = LAYOUT.pack(**LAYOUT.views(theta), dtype=dtype)
    assert packed.dtype == dtype
    assert_array_equal(packed, theta)


def test_layouts_are_laid_one_behind_the_other():
    both = LAYOUT + ParameterLayout({"gamma": (3,)})
    theta = np.arange(float(both.size))
    assert both.size == LAYOUT.size + 3
    assert_array_equal(both.views(theta)["gamma"], theta[-3:])
    assert_array_equal(both.views(theta)["weights"].ravel(), theta[:6])


def test_layouts_with_a_common_name_do_not_join():
    with pytest.raises(ValueError, match=r"Both layouts name the parameters \['bias'\]"):
        LAYOUT + ParameterLayout({"bias": ()})


def test_a_matrix_may_lie_column_by_column(rng):
    layout = ParameterLayout({"weights": (2, 3), "bias": (2,)}, column_major=("weights",))
    theta = np.arange(8.0)
    assert_array_equal(layout.views(theta)["weights"], [[0, 2, 4], [1, 3, 5]])
    assert layout.views(theta)["weights"].T.flags.c_contiguous
    assert_array_equal(layout.pack(**layout.views(theta)), theta)
    both = ParameterLayout({"gamma": (1,)}) + layout
    assert_array_equal(both.views(np.arange(9.0))["weights"], [[1, 3, 5], [2, 4, 6]])


def test_a_nested_layout_keeps_its_memory_order_and_is_one_stretch_of_the_vector():
    inner = ParameterLayout({"weights": (2, 3), "bias": (2,)}, column_major=("weights",))
    outer = ParameterLayout({"scale": ()}) + inner.prefixed("encoder_")
    theta = np.arange(9.0)
    assert list(outer) == ["scale", "encoder_weights", "encoder_bias"]
    assert_array_equal(outer.views(theta)["encoder_weights"], [[1, 3, 5], [2, 4, 6]])
    part = outer.part(theta, "encoder_")
    assert np.shares_memory(part, theta)
    for name, view in inner.views(part).items():
        assert_array_equal(view, outer.views(theta)["encoder_" + name])
    assert outer.part(theta, "decoder_").shape == (0,)


def test_a_layout_names_its_weights_wherever_it_is_nested():
    inner = ParameterLayout({"bias": (2,), "coefs": (2, 3), "scale": ()}, decayed=["coefs"])
    outer = ParameterLayout({"coefs": (2,)}, decayed=["coefs"]) + inner.prefixed("encoder_")
    assert outer.decayed == ("coefs", "encoder_coefs")
    assert LAYOUT.decayed == ()


def test_parameters_are_seen_by_their_parts_and_written_through():
    own = ParameterLayout({"gamma": ()}) + ParameterLayout({"bias": (2,)}).prefixed("encoder_")
    theta = Parameters(np.arange(6.0), own)
    assert_array_equal(theta.energy, [0, 1, 2])
    theta.energy[0], theta.own["gamma"][...] = 7, 8
    theta.own_part("encoder_")[:] = 9
    assert_array_equal(theta.vector, [7, 1, 2, 8, 9, 9])
    gradient = theta.like(np.ones(3), gamma=2.0, encoder_bias=[3.0, 4.0])
    assert_array_equal(gradient.vector, [1, 1, 1, 2, 3, 4])
    assert_array_equal(theta.vector, [7, 1, 2, 8, 9, 9])


def test_parameters_of_the_energy_alone_are_not_copied():
    gradient = np.ones(3)
    assert Parameters(np.zeros(3)).like(gradient).vector is gradient


@pytest.mark.parametrize("shape", [(8,), (10,), (9, 1)])
def test_a_vector_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"of shape \(9,\), got"):
        LAYOUT.views(np.zeros(shape))


def test_pack_wants_every_parameter_by_its_name():
    with pytest.raises(ValueError, match="Expected values for"):
        LAYOUT.pack(weights=0.0)


# -- settings objects ----------------------------------------------------------------------------


class Ridge(Settings):
    _parameter_constraints = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha=1.0):
        self.alpha = alpha


class TopOfDiamond(InheritedTables):
    _parameter_constraints = {"alpha": ["top"], "beta": ["top"]}


class Left(TopOfDiamond):
    pass


class Right(TopOfDiamond):
    _parameter_constraints = {"beta": ["right"], "gamma": ["right"]}


class PlainMixIn:
    _parameter_constraints = {"delta": ["plain"]}


class Bottom(PlainMixIn, Left, Right):
    _parameter_constraints = {"alpha": ["bottom"]}

    def __init__(self, alpha=1, *, beta=2, delta=3):
        pass


class BelowBottom(Bottom):
    _shorthands = {"alpha": {}}

    def __init__(self, gamma=1):
        pass


def test_a_class_has_the_tables_of_all_its_bases():
    assert Right._parameter_constraints == {"alpha": ["top"], "beta": ["right"], "gamma": ["right"]}
    assert Bottom._parameter_constraints == {
        "alpha": ["bottom"],
        "beta": ["right"],
        "delta": ["plain"],
    }
    assert BelowBottom._parameter_constraints == {"gamma": ["right"]}
    assert Bottom._shorthands == {}
    assert BelowBottom._shorthands == {"alpha": {}}


REGISTRY = {"ridge": Ridge}


class Model(StringShorthandMixin, BaseEstimator):
    _shorthands = {"penalty": REGISTRY}

    def __init__(self, penalty="ridge"):
        self.penalty = penalty


def test_a_string_stands_for_the_default_object():
    assert resolve("ridge", REGISTRY, "penalty", "Model").alpha == 1.0


def test_an_object_is_copied_so_that_the_users_own_stays_as_it_is():
    mine = Ridge(alpha=3.0)
    resolved = resolve(mine, REGISTRY, "penalty", "Model")
    assert resolved is not mine
    assert resolved.alpha == 3.0


def test_what_is_not_understood_is_an_error_that_names_what_is():
    with pytest.raises(ValueError, match=r"'penalty' parameter of Model .*\['ridge'\].* 'lasso'"):
        resolve("lasso", REGISTRY, "penalty", "Model")
    with pytest.raises(TypeError, match=r"'penalty' parameter of Model .*\['ridge'\].* 3"):
        resolve(3, REGISTRY, "penalty", "Model")
    with pytest.raises(ValueError, match="'alpha' parameter of Ridge"):
        resolve(Ridge(alpha=-1.0), REGISTRY, "penalty", "Model")


def test_nested_names_reach_into_a_string_and_into_an_object():
    model = Model().set_params(penalty__alpha=2.0)
    assert model.penalty.alpha == 2.0
    assert clone(model).set_params(penalty__alpha=5.0).penalty.alpha == 5.0
    assert model.penalty.alpha == 2.0
    assert Model(Ridge(7.0)).set_params(penalty="ridge", penalty__alpha=0.5).penalty.alpha == 0.5
