"""Sparse codes of an l1 penalty by block active sets, row by row.

A row keeps the signed support of its code and the Cholesky factor of that support's Gram matrix. A
round adds the atoms that violate optimality most, then minimises over the support: a full step
where no sign changes, otherwise up to the first zero, whose atoms leave (feature-sign search, Lee,
Battle, Raina and Ng, 2007, algorithm 1, with blocks of violators and a factor that is kept).

Passes over all atoms may be of single precision. They tell which atoms to look at; what enters the
solution and its certificate is computed in double, for the support and for each atom that the
bound of single precision's error leaves in doubt.
"""

from libc.math cimport copysign, fabs, sqrt
from libc.string cimport memcpy

from sklvm.kernels._signed_support cimport (
    NEWCOMERS,
    append,
    correlation,
    curvature,
    gathered_dot,
    join,
    long_dot,
    minimise_on_support,
    next_near,
    problem,
    row_state,
    scan_correlations,
    set_open_bound,
    sort_row,
    step_correlations,
    support_correlations,
)

cdef extern from "certificate.h" nogil:
    double relative_gap(double squared_norm, double cz, double gz, double penalty, double ratio,
                        double *objective) noexcept

ctypedef fused real:
    float
    double

# Relative gaps beyond this many times the tolerance are not computed exactly.
cdef double CLEARLY = 2
# Violators that join the support in one round: of at least this part of the largest violation,
cdef double WORTH = 0.15
# each of which is taken to move by this part of the step that is best for it alone.
cdef double STEP = 0.8


def active_set_loop(
    const double[:, ::1] dictionary, const double[:, ::1] gram, const double[::1] bound,
    const real[:, ::1] scan_gram, double largest_norm, bint positive, const double[:, ::1] X,
    const real[:, ::1] C, const double[::1] squared_norms, const double[::1] scales,
    const int[::1] start_ends, const int[::1] start_atoms, const double[::1] start_values,
    Py_ssize_t begin, int[::1] ends, int[::1] atoms, double[::1] values, double[::1] gaps,
    double[::1] objectives, double[::1] curvatures, int[::1] n_rounds, double tol,
    Py_ssize_t max_rounds, real[::1] open_bound, real[::1] scan_room, Py_ssize_t[::1] support,
    double[::1] doubles, double[::1] triangles, const double[::1] ridge,
    const double[:, ::1] observed, Py_ssize_t[::1] scan_rows, double[::1] feature_room,
):
    """Codes of the rows of X from `begin` on, until `atoms` and `values` may not hold another; row
    i's end at ``ends[i]``. Returns the row to go on from. C holds the correlations, `scales` their
    largest of each row where some atoms are unpenalised. From `open_bound` to `triangles` arrays
    are room to work in, the first of them the bounds, to which it returns. `observed`, or None, is
    0 where an entry is missing: X is 0 there, and `scan_gram` has the features behind the atoms."""
    cdef problem p
    cdef row_state s
    cdef Py_ssize_t i, j, filled = 0, room = support.shape[0]
    p.n_atoms, p.n_features = gram.shape[0], X.shape[1]
    p.largest_support, p.max_rounds, p.positive = room, max_rounds, positive
    p.dictionary, p.gram, p.bound = &dictionary[0, 0], &gram[0, 0], &bound[0]
    p.rounding = 6e-8 if real is float else 1.2e-16
    p.smallest_bound = p.largest_bound = bound[0]
    for i in range(p.n_atoms):
        p.smallest_bound = min(p.smallest_bound, bound[i])
        p.largest_bound = max(p.largest_bound, bound[i])
    p.largest_norm, p.tol = largest_norm, tol
    p.ridge = NULL if ridge is None else &ridge[0]
    s.n_missing, s.missing, s.observed = 0, NULL, NULL
    if observed is not None:
        s.scan_rows, s.missing = &scan_rows[0], &scan_rows[room + X.shape[1]]
        s.scan_factors, s.residual = &feature_room[0], &feature_room[room + X.shape[1]]
    s.scan.is_single, s.scan.positive, s.scan.stride = real is float, positive, C.shape[1]
    s.scan.n_atoms = p.n_atoms
    s.scan.gram, s.scan.open_bound = &scan_gram[0, 0], &open_bound[0]
    s.scan.g, s.scan.lane_excess = &scan_room[0], &scan_room[C.shape[1]]
    s.support = &support[0]
    s.sign, s.a, s.c = &doubles[0], &doubles[room], &doubles[2 * room]
    s.g, s.slope, s.step = &doubles[3 * room], &doubles[4 * room], &doubles[5 * room]
    s.products, s.factor = &triangles[0], &triangles[room * (room + 1) // 2]
    i = begin
    with nogil:
        while i < X.shape[0] and filled + room <= atoms.shape[0]:
            s.x, s.scan_c, s.squared_norm = &X[i, 0], &C[i, 0], squared_norms[i]
            s.norm, s.scale, s.size, s.n_settled = sqrt(s.squared_norm), scales[i], 0, 0
            if observed is not None:
                s.observed, s.n_missing = &observed[i, 0], 0
                for j in range(X.shape[1]):
                    if observed[i, j] == 0:
                        scan_rows[room + X.shape[1] + s.n_missing] = j
                        s.n_missing += 1
            if start_ends is not None:
                for j in range(start_ends[i], start_ends[i + 1]):
                    if start_values[j] > 0 or (start_values[j] < 0 and not positive):
                        append(&p, &s, start_atoms[j], copysign(1, start_values[j]),
                               start_values[j])
            n_rounds[i] = solve_row(&p, &s)
            gaps[i], objectives[i], curvatures[i] = s.gap, s.objective, curvature(&p, &s)
            for j in range(s.size):
                set_open_bound(&s.scan, s.support[j], bound[s.support[j]])
                if s.a[j] != 0:
                    atoms[filled], values[filled] = s.support[j], s.a[j]
                    filled += 1
            j = ends[i - 1] if i > begin else 0
            ends[i] = filled
            sort_row(&atoms[j], &values[j], filled - j)
            i += 1
    return i


cdef int solve_row(const problem *p, row_state *s) noexcept nogil:
    """Number of rounds."""
    cdef int n_rounds = 0
    cdef Py_ssize_t most = NEWCOMERS
    cdef bint is_last = False, joined
    while True:
        s.top = scan(p, s)
        is_last |= n_rounds == p.max_rounds
        certify(p, s, is_last)
        if s.gap <= p.tol or is_last:
            return n_rounds
        n_rounds += 1
        s.n_newcomers = 0
        if s.top > 2 * s.error:
            add_violators(p, s, most)
        elif s.doubtful >= 0:
            join(p, s, s.doubtful, s.doubtful_sign)
        minimise_on_support(p, s)
        # Newcomers that contradict each other may all leave again; the largest alone will not,
        # unless nothing is to be gained but rounding.
        joined = newcomers_stay(s)
        is_last = not joined and most == 1
        most = NEWCOMERS if joined else 1


cdef inline double scan(const problem *p, row_state *s) noexcept nogil:
    """Correlations of all atoms with the residual; the largest excess. What z D says of missing
    entries is no residual: they are added as atoms with the negative coefficients."""
    cdef Py_ssize_t i, j, feature
    cdef double value
    if s.n_missing == 0:
        return scan_correlations(&s.scan, s.scan_c, s.support, s.a, s.size)
    for j in range(s.size):
        s.scan_rows[j], s.scan_factors[j] = s.support[j], s.a[j]
    for i in range(s.n_missing):
        feature, value = s.missing[i], 0
        for j in range(s.size):
            value += s.a[j] * p.dictionary[s.support[j] * p.n_features + feature]
        s.scan_rows[s.size + i] = p.n_atoms + feature
        s.scan_factors[s.size + i] = -value
    return scan_correlations(&s.scan, s.scan_c, s.scan_rows, s.scan_factors,
                             s.size + s.n_missing)


cdef inline void known_residual(const problem *p, row_state *s) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const double *d
    memcpy(s.residual, s.x, p.n_features * sizeof(double))
    for j in range(s.size):
        d = p.dictionary + s.support[j] * p.n_features
        for i in range(p.n_features):
            s.residual[i] -= s.a[j] * s.observed[i] * d[i]


cdef inline bint newcomers_stay(const row_state *s) noexcept nogil:
    """Whether one of them does."""
    cdef Py_ssize_t i, j
    for i in range(s.n_newcomers):
        for j in range(s.size):
            if s.support[j] == s.newcomers[i]:
                return True
    return False


cdef void certify(const problem *p, row_state *s, bint exactly) noexcept nogil:
    """Writes the gap and, where it may be within `tol`, from correlations that are exact wherever
    they matter, with the violators among these; otherwise, unless `exactly`, a lower bound."""
    cdef double cz = 0, gz = 0, penalty = 0, extent = 0, slope = 0, ratio = 1, least, g, h
    cdef Py_ssize_t j, k
    for j in range(s.size):
        cz += s.c[j] * s.a[j]
        penalty += p.bound[s.support[j]] * fabs(s.a[j])
        extent += fabs(s.a[j])
    s.error = p.rounding * p.largest_norm * (
        (p.n_features + 8) * s.norm + (s.size + s.n_missing + 8) * extent * p.largest_norm)
    if s.top > s.error and p.largest_bound > 0:
        ratio += (s.top - s.error) / p.largest_bound
    s.doubtful, s.doubtful_excess = -1, 0
    # Where all atoms are settled, g a is the penalty but for rounding.
    if s.n_settled == s.size and s.top > 2 * s.error and not exactly:
        s.gap = relative_gap(s.squared_norm, cz, penalty, penalty, ratio, &s.objective)
        if s.gap > CLEARLY * p.tol:
            return
    support_correlations(s.products, s.c, s.a, s.size, s.g)
    for j in range(s.size):
        gz += s.g[j] * s.a[j]
    least = p.smallest_bound * (ratio - 1) - s.error
    if s.n_missing > 0:
        known_residual(p, s)
    k = next_near(&s.scan, least, -1)
    while k < p.n_atoms:
        if s.n_missing > 0:
            g = long_dot(s.residual, p.dictionary + k * p.n_features, p.n_features)
        else:
            g = long_dot(s.x, p.dictionary + k * p.n_features, p.n_features) - gathered_dot(
                p.gram + k * p.n_atoms, s.support, s.a, s.size)
        h = g if p.positive else fabs(g)
        observe(p, k, h, &ratio, &slope)
        if h - p.bound[k] > s.doubtful_excess:
            s.doubtful, s.doubtful_excess, s.doubtful_sign = k, h - p.bound[k], copysign(1, g)
        k = next_near(&s.scan, least, k)
    for j in range(s.size):
        k = s.support[j]
        observe(p, k, s.g[j] if p.positive and p.bound[k] > 0 else fabs(s.g[j]), &ratio, &slope)
    s.gap = relative_gap(s.squared_norm, cz, gz, penalty, ratio, &s.objective)
    # Without any penalty the objective may vanish, and the gap relative to it is rounding.
    if slope > 0:
        slope /= s.scale
        s.gap = max(s.gap, slope) if p.largest_bound > 0 else slope
    elif p.largest_bound == 0:
        s.gap = 0


cdef inline void observe(const problem *p, Py_ssize_t k, double h, double *ratio,
                         double *slope) noexcept nogil:
    """How far atom k lets the residual be scaled to be feasible in the dual; for an unpenalised
    one, what its coefficient lacks of optimality."""
    if p.bound[k] > 0:
        ratio[0] = max(ratio[0], h / p.bound[k])
    else:
        slope[0] = max(slope[0], h)


cdef void add_violators(const problem *p, row_state *s, Py_ssize_t most) noexcept nogil:
    """Adds up to `most` violators, as greedy coordinate descent would: each time that of largest
    violation, whose step then changes the correlations of all."""
    cdef Py_ssize_t k
    cdef double g, change, worth = WORTH * s.top
    while s.n_newcomers < most and s.top > worth:
        k = next_near(&s.scan, s.top, -1)
        if k == p.n_atoms:
            break
        g = correlation(&s.scan, k)
        change = STEP * copysign(s.top, g) / p.gram[k * p.n_atoms + k]
        if not join(p, s, k, copysign(1, g)):
            break
        s.top = step_correlations(&s.scan, k, change)
