"""Products of sparse codes with themselves and with the data, and a pass over the atoms."""

from libc.string cimport memcpy

cdef extern from "dictionary.h" nogil:
    void add_row(double *out, const double *row, double factor, Py_ssize_t n) noexcept
    void subtract_combination(double *out, const double *rows, const double *factors,
                              Py_ssize_t n_rows, Py_ssize_t n) noexcept
    double move_into_ball(double *row, double *to, Py_ssize_t n, int positive) noexcept


def code_products_loop(
    const double[::1] codes, const int[::1] atoms, const int[::1] ends, const double[:, ::1] X,
    const double[::1] weights, double[:, ::1] code_scatter, double[:, ::1] code_data,
):
    """Adds w zᵀz to the lower triangle of `code_scatter` and w zᵀx to `code_data`, row by row."""
    cdef Py_ssize_t i, j, other, n_features = X.shape[1]
    cdef double factor
    with nogil:
        for i in range(X.shape[0]):
            for j in range(ends[i], ends[i + 1]):
                factor = weights[i] * codes[j]
                for other in range(ends[i], j + 1):
                    code_scatter[atoms[j], atoms[other]] += factor * codes[other]
                add_row(&code_data[atoms[j], 0], &X[i, 0], factor, n_features)


def update_atoms_loop(
    const double[:, ::1] code_scatter, const double[:, ::1] code_data, double[:, ::1] dictionary,
    bint positive, double[::1] room,
):
    """Each atom in turn to its minimum in the unit ball; the squared length of all moves."""
    cdef Py_ssize_t k, j, n_atoms = dictionary.shape[0], n_features = dictionary.shape[1]
    cdef double moved = 0, inverse
    with nogil:
        for k in range(n_atoms):
            if not code_scatter[k, k] > 0:
                continue
            memcpy(&room[0], &code_data[k, 0], n_features * sizeof(double))
            subtract_combination(&room[0], &dictionary[0, 0], &code_scatter[k, 0], n_atoms,
                                 n_features)
            inverse = 1 / code_scatter[k, k]
            for j in range(n_features):
                room[j] = dictionary[k, j] + inverse * room[j]
            moved += move_into_ball(&dictionary[k, 0], &room[0], n_features, positive)
    return moved
