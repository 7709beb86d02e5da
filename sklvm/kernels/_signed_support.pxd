"""The signed support of a code, and the minimum over it.

An atom joins behind the others and leaves at a zero; the products of the atoms and their Cholesky
factor follow.
"""

from libc.math cimport INFINITY, fabs
from libc.string cimport memcpy

cdef extern from "correlation_scans.h" nogil:
    ctypedef struct correlation_scan:
        bint is_single, positive
        Py_ssize_t n_atoms, stride
        const void *gram
        void *open_bound
        void *g
        void *lane_excess
    double scan_correlations(const correlation_scan *s, const void *c, const Py_ssize_t *support,
                             const double *a, Py_ssize_t size) noexcept
    double step_correlations(const correlation_scan *s, Py_ssize_t k, double change) noexcept
    Py_ssize_t next_near(const correlation_scan *s, double least, Py_ssize_t k) noexcept
    double correlation(const correlation_scan *s, Py_ssize_t k) noexcept
    void set_open_bound(const correlation_scan *s, Py_ssize_t k, double bound) noexcept

cdef extern from "support_products.h" nogil:
    double long_dot(const double *x, const double *y, Py_ssize_t n) noexcept
    void support_correlations(const double *products, const double *c, const double *a,
                              Py_ssize_t size, double *g) noexcept
    void support_correlations_from(const double *products, const double *c, const double *a,
                                   Py_ssize_t first, Py_ssize_t size, double *g) noexcept
    double gathered_dot(const double *row, const Py_ssize_t *support, const double *a,
                        Py_ssize_t size) noexcept
    void sort_row(int *atoms, double *values, Py_ssize_t size) noexcept
    void keep_rows(double *products, const double *marks, Py_ssize_t first,
                   Py_ssize_t size) noexcept

cdef extern from "cholesky.h" nogil:
    double DEPENDENT
    double cholesky_extend(double *factor, const double *products, Py_ssize_t size) noexcept
    void cholesky_forward_from(const double *factor, double *x, Py_ssize_t zeros,
                               Py_ssize_t size) noexcept
    void cholesky_forward(const double *factor, double *x, Py_ssize_t size) noexcept
    void cholesky_backward(const double *factor, double *x, Py_ssize_t size) noexcept

cdef enum: NEWCOMERS = 16    # at most, that join the support in one round

cdef struct problem:
    Py_ssize_t n_atoms, n_features, largest_support, max_rounds
    const double *dictionary
    const double *gram
    const double *bound     # of |g_k|: the penalty's slope
    double smallest_bound, largest_bound, largest_norm
    bint positive
    const double *ridge     # on the Gram matrix's diagonal, or NULL
    double rounding         # of passes over all atoms
    double tol

cdef struct row_state:
    const double *x         # zero where it is missing
    Py_ssize_t n_missing    # features, which `scan_rows` adds as further rows of the Gram matrix
    const Py_ssize_t *missing
    const double *observed  # 1 where x is known and 0 where not; NULL where all is
    Py_ssize_t *scan_rows   # the support, and n_atoms + each missing feature
    double *scan_factors    # their coefficients, and what z D says of the missing, negative
    double *residual        # x - z D where x is known
    const void *scan_c      # x D^T, in the precision of
    correlation_scan scan   # which finds violators off the support
    double norm, squared_norm, scale
    double top              # largest excess of |g_k| over bound_k, by the last pass,
    double error            # which its rounding leaves in doubt by so much
    double gap, objective
    Py_ssize_t doubtful     # violator that only its exact correlation shows, or -1
    double doubtful_excess, doubtful_sign
    Py_ssize_t n_newcomers
    Py_ssize_t[NEWCOMERS] newcomers
    Py_ssize_t size         # of the support
    Py_ssize_t *support
    double *sign
    double *a
    Py_ssize_t n_settled    # atoms, the first ones, along which the objective is minimal
    double *c               # x D^T and (x - z D) D^T on the support, exactly
    double *g
    double *slope           # of the objective, downhill
    double *step
    double *products        # of the atoms, packed like their factor
    double *factor


cdef inline double known_product(const problem *p, const row_state *s, Py_ssize_t k,
                                 Py_ssize_t other) noexcept nogil:
    """Of two atoms, over the features where x is known; their entry of the Gram matrix."""
    cdef const double *d = p.dictionary + k * p.n_features
    cdef const double *e = p.dictionary + other * p.n_features
    cdef double sum_ = 0
    cdef Py_ssize_t i
    if s.n_missing == 0:
        return p.gram[k * p.n_atoms + other]
    for i in range(p.n_features):
        sum_ += s.observed[i] * d[i] * e[i]
    if k == other and p.ridge != NULL:
        sum_ += p.ridge[k]
    return sum_


cdef inline bint append(const problem *p, row_state *s, Py_ssize_t k, double sign,
                        double value) noexcept nogil:
    """Puts atom k behind the support, unless it depends on that."""
    cdef double *products = s.products + s.size * (s.size + 1) // 2
    cdef double squared_norm
    cdef Py_ssize_t j
    if s.size == p.largest_support:
        return False
    for j in range(s.size):
        products[j] = known_product(p, s, k, s.support[j])
    squared_norm = known_product(p, s, k, k)
    products[s.size] = squared_norm
    if not cholesky_extend(s.factor, products, s.size) > DEPENDENT * squared_norm:
        return False
    s.support[s.size], s.sign[s.size], s.a[s.size] = k, sign, value
    set_open_bound(&s.scan, k, INFINITY)
    s.c[s.size] = long_dot(s.x, p.dictionary + k * p.n_features, p.n_features)
    s.size += 1
    return True


cdef inline bint join(const problem *p, row_state *s, Py_ssize_t k, double sign) noexcept nogil:
    if not (append(p, s, k, sign, 0) or (s.n_newcomers == 0 and exchange(p, s, k, sign))):
        return False
    s.newcomers[s.n_newcomers] = k
    s.n_newcomers += 1
    return True


cdef inline bint exchange(const problem *p, row_state *s, Py_ssize_t k, double sign) noexcept nogil:
    """Atom k depends on the support, D_k = sum_j w_j D_j: moves along (-w, 1), which leaves x - z D
    as it is and lowers the penalty, to the first zero, whose atom k replaces."""
    cdef double length = INFINITY, change
    cdef Py_ssize_t j, leaving = -1
    for j in range(s.size):
        s.step[j] = known_product(p, s, k, s.support[j])
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
    s.a[leaving], s.n_settled = 0, 0
    drop_zeros(p, s)
    return append(p, s, k, sign, length * sign)


cdef inline bint is_signed(const problem *p, const row_state *s, Py_ssize_t j) noexcept nogil:
    return p.positive or p.bound[s.support[j]] > 0


cdef inline void minimise_on_support(const problem *p, row_state *s) noexcept nogil:
    """Minimises over the support and its signs; atoms that reach zero leave. Without newcomers it
    takes away what rounding has left."""
    cdef double length = 0
    cdef Py_ssize_t j, zeros = s.n_settled if s.n_newcomers > 0 else 0
    support_correlations_from(s.products, s.c, s.a, zeros, s.size, s.g)
    for j in range(s.size):
        s.slope[j] = s.g[j] - s.sign[j] * p.bound[s.support[j]] if j >= zeros else 0
    while s.size > 0 and length < 1:
        zeros = 0
        while zeros < s.size and s.slope[zeros] == 0:
            zeros += 1
        memcpy(s.step, s.slope, s.size * sizeof(double))
        cholesky_forward_from(s.factor, s.step, zeros, s.size)
        cholesky_backward(s.factor, s.step, s.size)
        length = 1
        for j in range(s.size):
            if reaches_zero(p, s, j):
                length = min(length, -s.a[j] / s.step[j] if s.step[j] != 0 else 0)
        for j in range(s.size):
            if reaches_zero(p, s, j) and (s.step[j] == 0 or -s.a[j] / s.step[j] <= length):
                s.a[j] = 0
            else:
                s.a[j] += length * s.step[j]
            s.slope[j] *= 1 - length
        drop_zeros(p, s)
    s.n_settled = s.size


cdef inline bint reaches_zero(const problem *p, const row_state *s, Py_ssize_t j) noexcept nogil:
    return is_signed(p, s, j) and (s.a[j] + s.step[j]) * s.sign[j] <= 0


cdef inline void drop_zeros(const problem *p, row_state *s) noexcept nogil:
    """Takes atoms with sign and zero coefficient off the support."""
    cdef Py_ssize_t j, kept, first = s.size
    for j in range(s.size - 1, -1, -1):
        if s.a[j] == 0 and is_signed(p, s, j):
            set_open_bound(&s.scan, s.support[j], p.bound[s.support[j]])
            s.sign[j] = 0
            first = j
    if first == s.size:
        return
    keep_rows(s.products, s.sign, first, s.size)
    kept = first
    for j in range(first, s.size):
        if s.sign[j] != 0:
            s.support[kept], s.sign[kept], s.a[kept] = s.support[j], s.sign[j], s.a[j]
            s.c[kept], s.slope[kept] = s.c[j], s.slope[j]
            kept += 1
    s.size = kept
    for j in range(first, kept):
        cholesky_extend(s.factor, s.products + j * (j + 1) // 2, j)


cdef inline double curvature(const problem *p, row_state *s) noexcept nogil:
    cdef Py_ssize_t j
    cdef double sum_ = 0
    for j in range(s.size):
        s.step[j] = s.sign[j] * p.bound[s.support[j]]
    cholesky_forward(s.factor, s.step, s.size)
    for j in range(s.size):
        sum_ += s.step[j] * s.step[j]
    return sum_
