"""Layered codes against single layers, explicit matrices, networks, and other solvers."""

import numpy as np
import pytest
from scipy import optimize, signal
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from sklvm import ConvolutionalSparseCoder, LayeredSparseCoder, SparseCoder
from sklvm.sparse_coding.dictionaries import ComposedDictionary, DenseDictionary
from sklvm.sparse_coding.layered._holistic_problem import HolisticProblem
from sklvm.sparse_coding.layered._holistic_solvers import solve_holistic

SOLVERS = ["admm", "ml_fista", "ml_ista", "primal_dual"]


def unit_rows(rng, *shape):
    D = rng.standard_normal(shape)
    return D / np.linalg.norm(D, axis=1, keepdims=True)


@pytest.fixture
def two_layers(rng):
    """12 data, 15 and 18 atoms; upper atoms combine a few of the lower."""
    D2 = unit_rows(rng, 18, 15) * (rng.random((18, 15)) < 0.4)
    return [unit_rows(rng, 15, 12), D2 / np.linalg.norm(D2, axis=1, keepdims=True)]


@pytest.fixture
def X(rng):
    return rng.standard_normal((7, 12))


def soft(U, threshold):
    return np.sign(U) * np.maximum(np.abs(U) - threshold, 0)


def filters_as_matrix(filters, image_shape, boundary="valid"):
    """Filters at all places as the rows of a matrix, of the estimator of a single layer."""
    n_features = np.prod(image_shape) * filters.shape[-1]
    coder = ConvolutionalSparseCoder(
        filters, image_shape=image_shape, n_channels=filters.shape[-1], boundary=boundary
    ).fit(np.zeros((1, n_features)))
    n_codes = len(filters) * np.prod(coder.map_shape_)
    return coder.inverse_transform(np.eye(n_codes)), coder.map_shape_


def as_maps(D, n_maps):
    """Columns of images with channels last, as columns of maps one after the other."""
    return D.reshape(len(D), -1, n_maps).transpose(0, 2, 1).reshape(len(D), -1)


# -- thresholding ---------------------------------------------------------------------------------


def test_thresholding_is_a_shrunken_correlation_on_every_layer(two_layers, X):
    D1, D2 = two_layers
    coder = LayeredSparseCoder(two_layers, alpha=[0.3, 0.2], method="thresholding").fit(X)
    z1 = soft(X @ D1.T, 0.3)
    z2 = soft(z1 @ D2.T, 0.2)
    for code, expected in zip(coder.encode(X), (z1, z2), strict=True):
        np.testing.assert_allclose(code, expected, atol=1e-12)
    np.testing.assert_allclose(coder.inverse_transform(z2), z2 @ D2 @ D1, atol=1e-12)
    np.testing.assert_allclose(coder.inverse_transform(z1, layer=1), z1 @ D1, atol=1e-12)


def test_non_negative_thresholding_is_scikit_learns_rectified_network(two_layers, X):
    coder = LayeredSparseCoder(
        two_layers, alpha=[0.3, 0.2], positive=True, method="thresholding"
    ).fit(X)
    Z = coder.transform(X)
    assert 0.05 < (Z > 0).mean() < 0.95
    network = MLPRegressor(hidden_layer_sizes=(15, 18), activation="relu", max_iter=1, solver="sgd")
    with pytest.warns(ConvergenceWarning):
        network.fit(X, np.zeros((7, 18)))
    weights = coder.as_mlp()
    # The output layer passes the last hidden layer on.
    network.coefs_, network.intercepts_ = (
        [*weights.coefs_, np.eye(18)],
        [*weights.intercepts_, np.zeros(18)],
    )
    np.testing.assert_allclose(network.predict(X), Z, atol=1e-14)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"positive": False, "method": "thresholding"}, "positive=False"),
        ({"positive": True, "method": "pursuit"}, "method='pursuit'"),
    ],
)
def test_other_codes_are_no_network(two_layers, X, params, message):
    with pytest.raises(ValueError, match=message):
        LayeredSparseCoder(two_layers, **params).fit(X).as_mlp()


def test_filters_are_no_dense_network(rng):
    X = rng.standard_normal((2, 30))
    coder = LayeredSparseCoder(
        [rng.standard_normal((2, 3, 2))],
        image_shape=(6, 5),
        positive=True,
        method="thresholding",
    ).fit(X)
    with pytest.raises(ValueError, match="Layer 1 has filters"):
        coder.as_mlp()


def test_convolutional_thresholding_is_correlation_without_padding(rng):
    X, F1, F2 = rng.random((3, 72)), rng.standard_normal((4, 3, 2)), None
    F2 = rng.standard_normal((5, 2, 3, 4))
    coder = LayeredSparseCoder(
        [F1, F2], image_shape=(8, 9), alpha=[0.5, 0.7], method="thresholding"
    ).fit(X)
    assert coder.map_shapes_ == [(6, 8), (5, 6)]
    z1, z2 = coder.encode(X)
    for x, one, two in zip(X, z1, z2, strict=True):
        maps = [soft(signal.correlate(x.reshape(8, 9), f, "valid"), 0.5) for f in F1]
        np.testing.assert_allclose(one.reshape(4, 6, 8), maps, atol=1e-12)
        for f, found in zip(F2, two.reshape(5, 5, 6), strict=True):
            u = sum(signal.correlate(m, f[:, :, c], "valid") for c, m in enumerate(maps))
            np.testing.assert_allclose(found, soft(u, 0.7), atol=1e-12)


# -- pursuit --------------------------------------------------------------------------------------


@pytest.mark.parametrize("positive", [False, True])
def test_pursuit_is_a_certified_lasso_of_the_codes_below(two_layers, X, positive):
    D1, D2 = two_layers
    coder = LayeredSparseCoder(two_layers, alpha=[0.2, 0.1], positive=positive, tol=1e-10).fit(X)
    codes, info = coder.encode(X, return_info=True)
    below, objective = X, 0
    for D, alpha, code in zip((D1, D2), (0.2, 0.1), codes, strict=True):
        single = SparseCoder(D, alpha=alpha, positive=positive, tol=1e-10).fit(below)
        Z, of_single = single.encode(below, return_info=True)
        np.testing.assert_allclose(code, Z, atol=1e-7)
        objective = objective + of_single.objective_
        below = code
    assert info.dual_gap_.shape == (7, 2) and info.dual_gap_.max() <= 1e-10
    np.testing.assert_allclose(info.objective_, objective, rtol=1e-6)
    np.testing.assert_allclose(coder.score_samples(X), -info.objective_)
    np.testing.assert_allclose(
        info.residual_norms_[:, 1], np.linalg.norm(codes[0] - codes[1] @ D2, axis=1), rtol=1e-9
    )
    np.testing.assert_allclose(info.l1_norms_[:, 0], np.abs(codes[0]).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("boundary", ["valid", "full", "circular"])
@pytest.mark.parametrize("method", ["thresholding", "pursuit", "holistic"])
def test_filters_are_dense_layers_of_their_shifts(rng, boundary, method):
    X, F1, F2 = rng.standard_normal((2, 40)), unit_rows(rng, 3, 12), unit_rows(rng, 2, 18)
    F1, F2 = F1.reshape(3, 3, 2, 2), F2.reshape(2, 2, 3, 3)
    D1, shape = filters_as_matrix(F1, (5, 4), boundary)
    D2, _ = filters_as_matrix(F2, shape, boundary)
    top = unit_rows(rng, 4, len(D2))
    params = {"alpha": [0.2, 0.1, 0.05], "method": method, "tol": 1e-7}
    coder = LayeredSparseCoder(
        [F1, F2, top], image_shape=(5, 4), n_channels=2, boundary=boundary, **params
    ).fit(X)
    dense = LayeredSparseCoder([D1, as_maps(D2, 3), top], **params).fit(X)
    codes, info = coder.encode(X, return_info=True)
    expected, of_dense = dense.encode(X, return_info=True)
    np.testing.assert_allclose(info.objective_, of_dense.objective_, rtol=1e-5)
    for code, other in zip(codes, expected, strict=True):
        np.testing.assert_allclose(code, other, atol=2e-3)
    Z = rng.standard_normal((2, 4))
    np.testing.assert_allclose(coder.inverse_transform(Z), dense.inverse_transform(Z), atol=1e-12)


# -- the holistic problem -------------------------------------------------------------------------


def explicit_objective(Z, x, matrices, alphas):
    """½‖x − z A_0‖² + Σ α_l ‖z A_l‖₁."""
    data, *others = matrices
    value = 0.5 * np.sum((x - Z @ data) ** 2)
    return value + sum(a * np.abs(Z @ A).sum() for a, A in zip(alphas, others, strict=True))


def least_objective(x, D1, D2, alphas):
    """By SLSQP on the smooth form z = p − n, |z D_2| ≤ s."""
    (n, m), A = D2.shape, D2 @ D1
    G = np.block([[-D2.T, D2.T, np.eye(m)], [D2.T, -D2.T, np.eye(m)]])

    def smooth(v):
        p, q, s = v[:n], v[n : 2 * n], v[2 * n :]
        r = x - (p - q) @ A
        gradient = np.concatenate([alphas[1] - A @ r, alphas[1] + A @ r, np.full(m, alphas[0])])
        return 0.5 * r @ r + alphas[1] * (p + q).sum() + alphas[0] * s.sum(), gradient

    return by_slsqp(smooth, np.full(2 * n + m, 0.1), G)


def least_non_negative_objective(x, D1, D2, alphas):
    """By SLSQP over z ≥ 0 with z D_2 ≥ 0."""
    A, c = D2 @ D1, alphas[1] + alphas[0] * D2.sum(axis=1)

    def smooth(z):
        r = x - z @ A
        return 0.5 * r @ r + c @ z, c - A @ r

    return by_slsqp(smooth, np.full(len(D2), 0.1), D2.T)


def by_slsqp(smooth, start, G):
    within = {"type": "ineq", "fun": lambda v: G @ v, "jac": lambda v: G}
    bounds = [(0, None)] * len(start)
    options = {"maxiter": 500, "ftol": 1e-12}
    return optimize.minimize(
        smooth, start, jac=True, bounds=bounds, constraints=[within], options=options
    ).fun


@pytest.mark.parametrize("solver", ["admm", "primal_dual"])
def test_holistic_codes_are_those_of_a_general_solver(two_layers, X, solver):
    D1, D2 = two_layers
    coder = LayeredSparseCoder(
        two_layers,
        alpha=[0.2, 0.1],
        method="holistic",
        solver=solver,
        tol=1e-5,
        max_iter=200_000,
    ).fit(X[:2])
    (below, Z), info = coder.encode(X[:2], return_info=True)
    np.testing.assert_allclose(below, Z @ D2, atol=1e-12)
    matrices = [D2 @ D1, D2, np.eye(18)]
    for x, z, value in zip(X, Z, info.objective_, strict=False):
        assert value == pytest.approx(explicit_objective(z, x, matrices, [0.2, 0.1]), rel=1e-10)
        assert value == pytest.approx(least_objective(x, D1, D2, [0.2, 0.1]), rel=2e-5)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_one_layer_is_the_lasso(rng, X, solver, positive):
    D = unit_rows(rng, 15, 12)
    coder = LayeredSparseCoder(
        [D], alpha=0.2, method="holistic", solver=solver, positive=positive, tol=1e-9
    ).fit(X)
    _, info = coder.encode(X, return_info=True)
    exact = SparseCoder(D, alpha=0.2, positive=positive, tol=1e-12).fit(X)
    np.testing.assert_allclose(info.objective_, -exact.score_samples(X), rtol=1e-8)
    assert info.dual_gap_.max() <= 1e-9


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_a_penalty_below_it_is_the_lasso_on_the_product(two_layers, X, solver):
    D1, D2 = two_layers
    coder = LayeredSparseCoder(
        two_layers, alpha=[0, 0.2], method="holistic", solver=solver, tol=1e-5, max_iter=100_000
    ).fit(X)
    _, info = coder.encode(X, return_info=True)
    exact = SparseCoder(D2 @ D1, alpha=0.2, tol=1e-12).fit(X)
    np.testing.assert_allclose(info.objective_, -exact.score_samples(X), rtol=1e-5)


def test_an_iteration_of_one_layer_is_one_of_ista(rng, X):
    D = unit_rows(rng, 15, 12)
    problem = HolisticProblem(ComposedDictionary([DenseDictionary(D)]), [0.2], False)
    step, Z = 1 / np.linalg.eigvalsh(D @ D.T)[-1], np.zeros((7, 15))
    for n in range(4):
        found = solve_holistic(problem, "ml_ista", X, tol=0, max_iter=n)
        np.testing.assert_allclose(found.codes, Z, atol=1e-13)
        Z = soft(Z + step * (X - Z @ D) @ D.T, 0.2 * step)


def test_the_fixed_point_of_ml_ista_is_near_the_minimum_but_not_at_it(two_layers, X):
    objectives, gaps = {}, {}
    for solver in ("ml_ista", "ml_fista", "admm"):
        coder = LayeredSparseCoder(
            two_layers, alpha=0.1, method="holistic", solver=solver, max_iter=50_000
        ).fit(X)
        _, info = coder.encode(X, return_info=True)
        objectives[solver], gaps[solver] = info.objective_, info.dual_gap_
    np.testing.assert_allclose(objectives["ml_ista"], objectives["ml_fista"], rtol=1e-6)
    excess = objectives["ml_ista"] / objectives["admm"] - 1
    assert (excess > -1e-6).all() and 1e-5 < excess.max() < 0.1
    assert gaps["admm"].max() <= 1e-6
    # The gap bounds the excess.
    assert (gaps["ml_ista"] >= excess / (1 + excess) - 1e-9).all()


def test_the_certificate_is_the_duality_gap(two_layers, X):
    D1, D2 = two_layers
    chain = ComposedDictionary([DenseDictionary(D) for D in two_layers])
    problem = HolisticProblem(chain, [0.2, 0.1], False)
    found = solve_holistic(problem, "primal_dual", X, tol=0, max_iter=30)
    z, (v,) = found.codes, found.multipliers
    theta = X - z @ D2 @ D1
    assert np.abs(v).max() <= 0.2
    left = np.abs((theta @ D1.T - v) @ D2.T).max(axis=1)
    best = (theta * X).sum(axis=1) / (theta**2).sum(axis=1)
    s = np.minimum(np.minimum(best, 0.1 / left), 0.2 / np.abs(v).max(axis=1))
    dual = s * (theta * X).sum(axis=1) - 0.5 * s**2 * (theta**2).sum(axis=1)
    primal = [
        explicit_objective(a, x, [D2 @ D1, D2, np.eye(18)], [0.2, 0.1])
        for a, x in zip(z, X, strict=True)
    ]
    np.testing.assert_allclose(found.objectives, primal, rtol=1e-12)
    np.testing.assert_allclose(found.certificates, 1 - dual / primal, rtol=1e-8)


@pytest.mark.parametrize("solver", ["admm", "primal_dual"])
def test_non_negative_holistic_codes_are_so_on_all_layers(two_layers, rng, X, solver):
    D1, D2 = two_layers
    D1, D2, X = np.abs(D1), np.where(rng.random(D2.shape) < 0.1, D2, np.abs(D2)), np.abs(X[:3])
    coder = LayeredSparseCoder(
        [D1, D2],
        alpha=[0.2, 0.1],
        positive=True,
        method="holistic",
        solver=solver,
        tol=1e-5,
        max_iter=50_000,
    ).fit(X)
    (below, Z), info = coder.encode(X, return_info=True)
    assert (Z >= 0).all() and below.min() >= -1e-5 * below.max() and Z.max() > 0.1
    assert info.dual_gap_.max() <= 1e-5
    for x, value in zip(X, info.objective_, strict=True):
        exact = least_non_negative_objective(x, D1, D2, [0.2, 0.1])
        assert value == pytest.approx(exact, rel=2e-5)


# -- constraints ----------------------------------------------------------------------------------


def planted(two_layers, rng):
    """Codes of both layers and data that keep bounds, and those bounds."""
    D1, D2 = two_layers
    z2 = np.where(rng.random((6, 18)) < 0.15, rng.standard_normal((6, 18)), 0)
    z2[:, 0] = 1
    z1 = z2 @ D2 + 0.02 * rng.standard_normal((6, 15))
    x = z1 @ D1 + 0.02 * rng.standard_normal((6, 12))
    norms = [np.abs(z1).sum(axis=1).max() + 0.1, np.abs(z2).sum(axis=1).max() + 0.1]
    return x, norms


@pytest.mark.parametrize("positive", [False, True])
def test_codes_within_bounds_are_found_where_there_are_some(two_layers, rng, positive):
    if positive:
        two_layers = [np.abs(D) for D in two_layers]
        D1, D2 = two_layers
        z2 = np.where(rng.random((6, 18)) < 0.2, rng.random((6, 18)), 0)
        x, norms = z2 @ D2 @ D1, [(z2 @ D2).sum(axis=1).max() + 0.1, z2.sum(axis=1).max() + 0.1]
    else:
        x, norms = planted(two_layers, rng)
    bounds = {"max_residual": [0.15, 0.15], "max_norm": norms}
    coder = LayeredSparseCoder(
        two_layers, method="constrained", positive=positive, tol=1e-3, **bounds
    ).fit(x)
    codes, info = coder.encode(x, return_info=True)
    assert info.is_feasible_.all() and not info.is_infeasible_.any()
    below = x
    for D, code, mu in zip(two_layers, codes, norms, strict=True):
        assert (np.linalg.norm(below - code @ D, axis=1) <= 0.15 * 1.0011).all()
        assert (np.abs(code).sum(axis=1) <= mu * 1.0011).all()
        assert not positive or (code >= 0).all()
        below = code
    np.testing.assert_allclose(
        info.violation_,
        np.maximum(
            (info.residual_norms_ / 0.15 - 1).max(axis=1),
            np.maximum((info.l1_norms_ / norms - 1).max(axis=1), 0),
        ).clip(0),
        atol=1e-12,
    )


def test_bounds_that_no_codes_keep_are_proved_to_be_so(two_layers, X):
    coder = LayeredSparseCoder(
        two_layers, method="constrained", max_residual=0.1, max_norm=[5.0, 0.5], tol=1e-3
    ).fit(X)
    _, info = coder.encode(X, return_info=True)
    assert info.is_infeasible_.all() and not info.is_feasible_.any()
    # z_2 of norm ½ leaves z_1 near zero, so that ‖x − z_1 D_1‖ is nearly ‖x‖.
    D1, _ = two_layers
    reach = (0.1 + 0.5) * np.sqrt(np.linalg.eigvalsh(D1 @ D1.T)[-1]) + 0.1
    assert (np.linalg.norm(X, axis=1) > reach).all()


@pytest.mark.parametrize(("epsilon", "mu"), [([1.0, 0.5], 12.0), ([1.5, 1.0], 6.0)])
def test_codes_are_found_where_a_cone_solver_says_that_there_are_some(two_layers, X, epsilon, mu):
    """cvxpy on the least part by which bounds must be exceeded."""
    cvxpy = pytest.importorskip("cvxpy")
    D1, D2 = two_layers
    coder = LayeredSparseCoder(
        two_layers, method="constrained", max_residual=epsilon, max_norm=mu, tol=1e-3
    ).fit(X)
    _, info = coder.encode(X, return_info=True)
    for x, is_feasible, is_infeasible in zip(
        X, info.is_feasible_, info.is_infeasible_, strict=True
    ):
        z1, z2, excess = cvxpy.Variable(15), cvxpy.Variable(18), cvxpy.Variable()
        bounds = [
            cvxpy.norm(x - z1 @ D1) <= epsilon[0] * (1 + excess),
            cvxpy.norm(z1 - z2 @ D2) <= epsilon[1] * (1 + excess),
            cvxpy.norm1(z1) <= mu * (1 + excess),
            cvxpy.norm1(z2) <= mu * (1 + excess),
        ]
        cvxpy.Problem(cvxpy.Minimize(excess), bounds).solve(solver="SCS")
        assert abs(excess.value) > 5e-3  # no case is too close to call
        assert is_feasible == (excess.value < 0)
        assert is_infeasible == (excess.value > 0)


def test_other_methods_report_whether_their_codes_keep_bounds(two_layers, rng):
    x, norms = planted(two_layers, rng)
    coder = LayeredSparseCoder(two_layers, alpha=0.02, max_residual=1.0, max_norm=norms).fit(x)
    _, info = coder.encode(x, return_info=True)
    expected = (info.residual_norms_ <= 1).all(axis=1) & (info.l1_norms_ <= norms).all(axis=1)
    np.testing.assert_array_equal(info.is_feasible_, expected)
    assert not info.is_infeasible_.any() and info.is_feasible_.any()


# -- the estimator --------------------------------------------------------------------------------


def test_codes_of_one_layer_or_of_all(two_layers, X):
    coder = LayeredSparseCoder(two_layers, alpha=0.1, output="all").fit(X)
    codes = coder.encode(X)
    np.testing.assert_array_equal(coder.transform(X), np.hstack(codes))
    np.testing.assert_array_equal(coder.transform(X, layer=1), codes[0])
    np.testing.assert_allclose(
        coder.inverse_transform(np.hstack(codes)), codes[1] @ two_layers[1] @ two_layers[0]
    )
    assert len(coder.get_feature_names_out()) == 33 and coder.n_layers_ == 2


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layers": []}, "at least one dictionary"),
        ({"layers": [np.ones((3, 11))]}, r"layers\[0\] must have X's number of features, 12"),
        ({"layers": [np.eye(12), np.ones((3, 4))]}, "number of components of layer 1, 12"),
        ({"layers": [np.ones((3, 2, 2))]}, "are filters, but image_shape is None"),
        (
            {"layers": [np.eye(12), np.ones((3, 2, 2))], "image_shape": (3, 4)},
            "the layer below has no maps",
        ),
        (
            {"layers": [np.ones((2, 2, 2)), np.ones((3, 3, 2, 2))], "image_shape": (3, 4)},
            "filters of layer 2 have shape .3, 2., and do not fit into the maps of layer 1",
        ),
        ({"layers": [np.ones((2, 4, 2))], "image_shape": (3, 4)}, "do not fit into the images"),
        (
            {"layers": [np.ones((2, 2, 2)), np.ones((3, 2, 2, 5))], "image_shape": (3, 4)},
            r"layers\[1\] must be filters of shape \(n_components, height, width, 2\)",
        ),
        ({"layers": [np.eye(12)], "alpha": [1, 2]}, "alpha must be one number or one for each"),
        ({"layers": [np.eye(12)], "alpha": [-1]}, "alpha must be non-negative"),
        ({"alpha": 0.0, "method": "holistic"}, "positive alpha on the last layer"),
        ({"method": "constrained", "max_norm": 1.0}, "needs max_residual, got None"),
        ({"method": "constrained", "max_residual": 1.0}, "needs max_norm"),
        ({"max_residual": [0.0]}, "max_residual must be positive"),
        ({"max_norm": [1.0, 2.0]}, "max_norm must be one number"),
        ({"image_shape": (5, 5)}, "image_shape"),
    ],
)
def test_layers_that_do_not_fit_are_named(X, params, message):
    coder = LayeredSparseCoder(**params)
    with pytest.raises(ValueError, match=message):
        coder.fit(X)
    assert not hasattr(coder, "components_")


def test_bad_arguments_of_methods_are_named(two_layers, X):
    coder = LayeredSparseCoder(two_layers).fit(X)
    for bad in (0, 3, 1.5, True):
        with pytest.raises(ValueError, match="layer must be an integer from 1 to 2, got"):
            coder.transform(X, layer=bad)
    with pytest.raises(ValueError, match="NaN"):
        coder.transform(np.full_like(X, np.nan))


def test_few_iterations_are_warned_of(two_layers, X):
    coder = LayeredSparseCoder(two_layers, alpha=0.1, method="holistic", max_iter=2).fit(X)
    with pytest.warns(ConvergenceWarning, match="7 of 7 samples did not reach tol=1e-06"):
        coder.transform(X)
