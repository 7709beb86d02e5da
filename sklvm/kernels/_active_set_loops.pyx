"""Sparse codes of an l1 penalty by block active sets, row by row, the rows shared among threads.

A row keeps the signed support of its code and the Cholesky factor of that support's Gram matrix. A
round adds the atoms that violate optimality most, then minimises over the support: a full step
where no sign changes, otherwise up to the first zero, whose atoms leave (feature-sign search, Lee,
Battle, Raina and Ng, 2007, algorithm 1, with blocks of violators and a factor that is kept).
"""

from cython.parallel cimport parallel, prange, threadid
from libc.math cimport INFINITY, fabs

cdef extern from "gram_rows.h" nogil:
    enum: ATOM_BLOCK
    void residual_correlations(const double *c, const double *gram, Py_ssize_t n,
                               const Py_ssize_t *support, const double *a, Py_ssize_t size,
                               double *g) noexcept
    void violations(const double *g, const double *bound, const double *inverse, Py_ssize_t n,
                    int positive, double *block_excess, double *excess, double *ratio) noexcept

cdef extern from "cholesky.h" nogil:
    double DEPENDENT
    double cholesky_append(double *factor, const double *gram, Py_ssize_t n_atoms,
                           const Py_ssize_t *support, Py_ssize_t size) noexcept
    void cholesky_forward(const double *factor, double *x, Py_ssize_t size) noexcept
    void cholesky_backward(const double *factor, double *x, Py_ssize_t size) noexcept

cdef extern from "certificate.h" nogil:
    double relative_gap(double squared_norm, double cz, double gz, double penalty, double ratio,
                        double *objective) noexcept
    double unpenalised_slope(const double *g, const double *c, const double *z,
                             const double *bound, Py_ssize_t n, int positive) noexcept

cdef enum: NEWCOMERS = 8    # that join the support in one round, out of
cdef enum: CANDIDATES = 16  # atoms whose violation is, as a fraction of the largest,
cdef double JOINING = 0.5   # at least this, and whose cosine to each other is
cdef double RESEMBLANCE = 0.5

cdef struct problem:
    Py_ssize_t n_atoms, largest_support, max_rounds
    const double *gram
    const double *bound    # of |g_k|: the penalty's slope
    const double *inverse  # 1 / bound, 0 where that is 0
    bint positive, some_unpenalised, all_unpenalised
    double tol

cdef struct row_state:
    Py_ssize_t size         # of the support
    Py_ssize_t *support
    signed char *is_active  # one an atom
    Py_ssize_t n_newcomers
    Py_ssize_t[NEWCOMERS] newcomers
    double *sign
    double *a
    double *slope           # of the objective, downhill, on the support
    double *step
    double *factor
    double *g
    double *block_excess


def active_set_loop(
    const double[:, ::1] gram, const double[::1] bound, const double[::1] inverse, bint positive,
    const double[:, ::1] C, const double[::1] squared_norms, double[:, ::1] Z, double[::1] gaps,
    double[::1] objectives, int[::1] n_rounds, double tol, Py_ssize_t max_rounds,
    double[:, ::1] factors, double[:, ::1] doubles, Py_ssize_t[:, ::1] supports,
    signed char[:, ::1] active, int n_threads,
):
    """Codes of the rows of C to Z, from the codes that Z holds. The last four arrays are room for
    each thread to work in: see ``_sparse_codes``."""
    cdef problem p
    cdef Py_ssize_t i, k, n = C.shape[0]
    cdef int t = 0
    p.n_atoms, p.largest_support, p.max_rounds = C.shape[1], supports.shape[1], max_rounds
    p.gram, p.bound, p.inverse = &gram[0, 0], &bound[0], &inverse[0]
    p.positive, p.tol, p.some_unpenalised, p.all_unpenalised = positive, tol, False, True
    for k in range(p.n_atoms):
        p.some_unpenalised |= bound[k] == 0
        p.all_unpenalised &= bound[k] == 0
    with nogil, parallel(num_threads=n_threads):
        t = threadid()
        for i in prange(n, schedule="dynamic"):
            solve_row(&p, &C[i, 0], squared_norms[i], &Z[i, 0], &gaps[i], &objectives[i],
                      &n_rounds[i], &factors[t, 0], &doubles[t, 0], &supports[t, 0], &active[t, 0])


cdef void solve_row(
    const problem *p, const double *c, double squared_norm, double *z, double *gap,
    double *objective, int *n_rounds, double *factor, double *doubles, Py_ssize_t *support,
    signed char *is_active,
) noexcept nogil:
    cdef row_state s
    cdef Py_ssize_t round_, j, most = NEWCOMERS
    cdef double excess, ratio
    cdef bint joined
    s.factor, s.support, s.is_active = factor, support, is_active
    s.sign = doubles
    s.a = doubles + p.largest_support
    s.slope = doubles + 2 * p.largest_support
    s.step = doubles + 3 * p.largest_support
    s.g = doubles + 4 * p.largest_support
    s.block_excess = s.g + p.n_atoms
    start_from(p, &s, z)
    n_rounds[0] = 0
    for round_ in range(p.max_rounds + 1):
        residual_correlations(c, p.gram, p.n_atoms, s.support, s.a, s.size, s.g)
        violations(s.g, p.bound, p.inverse, p.n_atoms, p.positive, s.block_excess, &excess, &ratio)
        gap[0] = certify(p, &s, c, squared_norm, ratio, z, objective)
        if gap[0] <= p.tol or round_ == p.max_rounds:
            break
        n_rounds[0] += 1
        s.n_newcomers = 0
        add_violators(p, &s, excess, most)
        for j in range(s.size):
            s.slope[j] = s.g[s.support[j]] - s.sign[j] * p.bound[s.support[j]]
        minimise_on_support(p, &s)
        joined = False
        for j in range(s.n_newcomers):
            joined |= s.is_active[s.newcomers[j]]
        # Newcomers that contradict each other may all leave again; the largest alone will not,
        # unless nothing is to be gained but rounding.
        if not joined and most == 1:
            break
        most = NEWCOMERS if joined else 1
    for j in range(s.size):
        z[s.support[j]] = s.a[j]
        s.is_active[s.support[j]] = False


cdef inline void start_from(const problem *p, row_state *s, double *z) noexcept nogil:
    """Support and factor of a given code, less its dependent atoms; leaves z at zero."""
    cdef Py_ssize_t k
    s.size = 0
    for k in range(p.n_atoms):
        if z[k] != 0:
            if not (p.positive and z[k] < 0):
                append(p, s, k, 1 if z[k] > 0 else -1, z[k])
            z[k] = 0


cdef inline bint append(const problem *p, row_state *s, Py_ssize_t k, double sign,
                        double value) noexcept nogil:
    """Puts atom k behind the support, unless it depends on that."""
    if s.size == p.largest_support:
        return False
    s.support[s.size] = k
    if not (cholesky_append(s.factor, p.gram, p.n_atoms, s.support, s.size)
            > DEPENDENT * p.gram[k * p.n_atoms + k]):
        return False
    s.sign[s.size], s.a[s.size], s.is_active[k] = sign, value, True
    s.size += 1
    return True


cdef double certify(const problem *p, const row_state *s, const double *c, double squared_norm,
                    double ratio, double *z, double *objective) noexcept nogil:
    """`z` is zero, and room."""
    cdef double cz = 0, gz = 0, penalty = 0, gap, slope
    cdef Py_ssize_t j, k
    for j in range(s.size):
        k = s.support[j]
        cz += c[k] * s.a[j]
        gz += s.g[k] * s.a[j]
        penalty += p.bound[k] * fabs(s.a[j])
    gap = relative_gap(squared_norm, cz, gz, penalty, ratio, objective)
    if not p.some_unpenalised:
        return gap
    for j in range(s.size):
        z[s.support[j]] = s.a[j]
    slope = unpenalised_slope(s.g, c, z, p.bound, p.n_atoms, p.positive)
    for j in range(s.size):
        z[s.support[j]] = 0
    # Without any penalty the objective may vanish, and the gap relative to it is rounding.
    return slope if p.all_unpenalised else max(gap, slope)


cdef void add_violators(const problem *p, row_state *s, double excess,
                        Py_ssize_t most) noexcept nogil:
    """Adds the largest violator, and up to `most` in all of those at least half as large, but none
    that is much like another: one of the two would have to leave again."""
    cdef Py_ssize_t block, k, stop, i, count = 0
    cdef Py_ssize_t[CANDIDATES] found
    cdef double size, least = JOINING * excess
    if not excess > 0:
        return
    for block in range((p.n_atoms + ATOM_BLOCK - 1) // ATOM_BLOCK):
        if s.block_excess[block] < least:
            continue
        stop = min((block + 1) * ATOM_BLOCK, p.n_atoms)
        for k in range(block * ATOM_BLOCK, stop):
            size = excess_of(p, s, k)
            if size < least or s.is_active[k]:
                continue
            # Sorted by decreasing violation; the last falls out if there are too many.
            i = count if count < CANDIDATES else CANDIDATES - 1
            if count == CANDIDATES and excess_of(p, s, found[i]) >= size:
                continue
            while i > 0 and excess_of(p, s, found[i - 1]) < size:
                found[i] = found[i - 1]
                i -= 1
            found[i] = k
            count = min(count + 1, <Py_ssize_t> CANDIDATES)
    for i in range(count):
        k = found[i]
        if s.n_newcomers == most:
            break
        if resembles_newcomer(p, s, k):
            continue
        if append(p, s, k, 1 if s.g[k] > 0 else -1, 0) or (i == 0 and exchange(p, s, k)):
            s.newcomers[s.n_newcomers] = k
            s.n_newcomers += 1


cdef inline double excess_of(const problem *p, const row_state *s, Py_ssize_t k) noexcept nogil:
    return (s.g[k] if p.positive else fabs(s.g[k])) - p.bound[k]


cdef inline bint resembles_newcomer(const problem *p, const row_state *s,
                                    Py_ssize_t k) noexcept nogil:
    cdef Py_ssize_t i, j
    for i in range(s.n_newcomers):
        j = s.newcomers[i]
        if fabs(p.gram[k * p.n_atoms + j]) > RESEMBLANCE * p.gram[j * p.n_atoms + j]:
            return True
    return False


cdef bint exchange(const problem *p, row_state *s, Py_ssize_t k) noexcept nogil:
    """Atom k depends on the support, D_k = sum_j w_j D_j: moves along (-w, 1), which leaves x - z D
    as it is and lowers the penalty, to the first zero, whose atom k replaces."""
    cdef double sign = 1 if s.g[k] > 0 else -1
    cdef double length = INFINITY, change
    cdef Py_ssize_t j, leaving = -1
    for j in range(s.size):
        s.step[j] = p.gram[k * p.n_atoms + s.support[j]]
    cholesky_forward(s.factor, s.step, s.size)
    cholesky_backward(s.factor, s.step, s.size)
    for j in range(s.size):
        change = -sign * s.step[j]
        if is_signed(p, s, j) and change * s.sign[j] < 0 and -s.a[j] / change < length:
            length, leaving = -s.a[j] / change, j
    if leaving < 0:
        return False
    for j in range(s.size):
        s.a[j] -= length * sign * s.step[j]
    s.a[leaving] = 0
    drop_zeros(p, s)
    return append(p, s, k, sign, length * sign)


cdef inline bint is_signed(const problem *p, const row_state *s, Py_ssize_t j) noexcept nogil:
    return p.positive or p.bound[s.support[j]] > 0


cdef void minimise_on_support(const problem *p, row_state *s) noexcept nogil:
    """Minimises over the support and its signs; atoms that reach zero leave."""
    cdef double length, reached
    cdef Py_ssize_t j
    while s.size > 0:
        for j in range(s.size):
            s.step[j] = s.slope[j]
        cholesky_forward(s.factor, s.step, s.size)
        cholesky_backward(s.factor, s.step, s.size)
        length = 1
        for j in range(s.size):
            if is_signed(p, s, j) and (s.a[j] + s.step[j]) * s.sign[j] <= 0:
                reached = s.a[j] / -s.step[j] if s.step[j] != 0 else 0
                if reached < length:
                    length = reached
        for j in range(s.size):
            if (is_signed(p, s, j) and (s.a[j] + s.step[j]) * s.sign[j] <= 0
                    and (s.step[j] == 0 or s.a[j] / -s.step[j] <= length)):
                s.a[j] = 0
            else:
                s.a[j] += length * s.step[j]
            s.slope[j] *= 1 - length
        if not drop_zeros(p, s) or length == 1:
            break


cdef bint drop_zeros(const problem *p, row_state *s) noexcept nogil:
    """Takes atoms with sign and zero coefficient off the support. Whether there were any."""
    cdef Py_ssize_t j, kept = 0, first = -1
    cdef Py_ssize_t size = s.size
    for j in range(size):
        if s.a[j] == 0 and is_signed(p, s, j):
            s.is_active[s.support[j]] = False
            if first < 0:
                first = j
        else:
            s.support[kept], s.sign[kept] = s.support[j], s.sign[j]
            s.a[kept], s.slope[kept] = s.a[j], s.slope[j]
            kept += 1
    if first < 0:
        return False
    s.size = kept
    for j in range(first, kept):
        cholesky_append(s.factor, p.gram, p.n_atoms, s.support, j)
    return True
