"""Energies keep the dtype, take any memory layout, and treat each row by itself."""

import numpy as np
from numpy.testing import assert_allclose

from sklvm.energies import Energy, ExactPartition, Gibbs, Marginal, Tempered
from sklvm.testing._energy_checks import EnergyChecks, pulled_back, row_values

__all__ = ["ArrayChecks"]


class ArrayChecks(EnergyChecks):
    """Checks of what goes in and comes out as arrays."""

    # Of float32 against float64, relative to the largest entry.
    float32_tolerance = 1e-4

    def test_float32_agrees_with_float64_and_stays_float32(self):
        energy, theta, X = self.model(Energy)
        for function in (row_values, pulled_back):
            double = function(energy, theta, X)
            single = function(energy, theta.astype(np.float32), X.astype(np.float32))
            for name, expected in double.items():
                assert expected.dtype == np.float64, name
                assert single[name].dtype == np.float32, name
                atol = self.float32_tolerance * np.abs(expected).max()
                assert_allclose(single[name], expected, rtol=0, atol=atol, err_msg=name)

    def test_starts_and_draws_are_of_the_dtype_of_the_data(self):
        energy, theta, X = self.model(Energy)
        for dtype in (np.float32, np.float64):
            theta_d, X_d = theta.astype(dtype), X.astype(dtype)
            arrays = [energy.init_parameters(X_d, self.rng)]
            if isinstance(energy, Gibbs):
                state, _ = energy.sweep(theta_d, energy.start(theta_d, X_d, self.seed))
                arrays += [*state.blocks, *energy.expected_blocks(theta_d, state)]
            if isinstance(energy, Tempered):
                theta_0 = energy.tempered_start(X_d)
                arrays += [theta_0, energy.sample_start(theta_0, 3, self.seed)]
                arrays.append(energy.temper(theta_0, theta_d, dtype(0.5)))
            if isinstance(energy, ExactPartition):
                arrays.append(energy.sample(theta_d, 3, self.rng))
            assert {array.dtype for array in arrays} == {np.dtype(dtype)}

    def test_any_memory_layout_will_do_and_nothing_is_written_to(self):
        energy, theta, X = self.model(Energy)
        expected = {**row_values(energy, theta, X), "∇": pulled_back(energy, theta, X)}
        strided_theta = np.repeat(theta, 2)[::2]
        for layout in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[::-1].copy()[::-1]):
            layout.setflags(write=False)
            strided_theta.setflags(write=False)
            actual = row_values(energy, strided_theta, layout)
            pulled = pulled_back(energy, strided_theta, layout)
            for name, value in actual.items():
                assert_allclose(value, expected[name], rtol=1e-10, atol=1e-12, err_msg=name)
            for name, value in pulled.items():
                assert_allclose(value, expected["∇"][name], rtol=1e-10, atol=1e-12, err_msg=name)

    def test_a_row_is_the_same_whatever_rows_come_with_it(self):
        energy, theta, X = self.model(Marginal)
        together, _ = energy.evaluate(theta, X)
        alone = [energy.evaluate(theta, X[i : i + 1])[0][0] for i in range(len(X))]
        assert_allclose(alone, together, rtol=1e-12, atol=1e-12)

    def test_pullbacks_are_linear_in_the_rows(self):
        energy, theta, X = self.model(Marginal)
        _, pullback = energy.evaluate(theta, X)
        unit = np.eye(len(X))
        w = np.cos(np.arange(len(X)))
        summed = sum(w[i] * pullback(unit[i]) for i in range(len(X)))
        assert_allclose(pullback(w), summed, rtol=1e-9, atol=1e-9 * np.abs(summed).max())
