"""Automatic relevance determination of each row's atoms, row by row, the rows shared among threads.

Everything is in units of the noise: C = I + sum_k r_k d_k d_k^T is the covariance of x over its
noise variance. S_k = d_k C^-1 d_k, Q_k = d_k C^-1 x and E = x C^-1 x then do not depend on that,
and each change of one r_k changes them by a term of rank one.
"""

from cython.parallel cimport parallel, prange, threadid
from libc.math cimport fabs, log, sqrt

cdef enum:
    NOTHING = -1

# Less than this part of a squared norm, or of a product of two norms, is rounding.
cdef double ROUNDING = 1e-12

cdef struct row_state:
    Py_ssize_t size
    Py_ssize_t *support
    Py_ssize_t *place   # of an atom in the support, or NOTHING
    double *S
    double *Q
    double *a           # 1 / r on the support
    double *mean        # of the posterior, on the support
    double *M           # covariance of the posterior over the noise, on the support, row-major
    double *v           # d_j C^-1 d_k of one atom k
    double *w
    double *squared_norms   # of the atoms
    double E
    double squared_norm     # of x


def automatic_relevance_loop(
    const double[:, ::1] gram, const double[:, ::1] C, const double[::1] squared_norms,
    double n_features, double noise, double least_noise, double tol, Py_ssize_t max_iter,
    double[:, ::1] means, double[:, ::1] variances, double[:, ::1] prior_variances,
    double[::1] log_dets, double[::1] gains, int[::1] n_iter, double[:, ::1] doubles,
    Py_ssize_t[:, ::1] places, Py_ssize_t largest_support, int n_threads,
):
    """Fits the rows of C = x D^T; a `noise` of 0 is learned, and is at least `least_noise`. The
    variances are in units of it."""
    cdef Py_ssize_t i
    cdef int t = 0
    with nogil, parallel(num_threads=n_threads):
        t = threadid()
        for i in prange(C.shape[0], schedule="dynamic"):
            fit_row(&gram[0, 0], C.shape[1], &C[i, 0], squared_norms[i], n_features, noise,
                    least_noise, tol, max_iter, &means[i, 0], &variances[i, 0],
                    &prior_variances[i, 0], &log_dets[i], &gains[i], &n_iter[i],
                    &doubles[t, 0], &places[t, 0], largest_support)


cdef void fit_row(
    const double *gram, Py_ssize_t n_atoms, const double *c, double squared_norm,
    double n_features, double given_noise, double least_noise, double tol, Py_ssize_t max_iter,
    double *mean, double *variance, double *prior_variance, double *log_det, double *gain,
    int *n_iter, double *doubles, Py_ssize_t *places, Py_ssize_t largest_support,
) noexcept nogil:
    cdef row_state s
    cdef Py_ssize_t j, k
    cdef double r = 0, noise
    s.size, s.E, s.squared_norm = 0, squared_norm, squared_norm
    s.support, s.place = places, places + n_atoms
    s.S, s.Q, s.v = doubles, doubles + n_atoms, doubles + 2 * n_atoms
    s.squared_norms = doubles + 3 * n_atoms
    s.a = doubles + 4 * n_atoms
    s.mean, s.w = s.a + largest_support, s.a + 2 * largest_support
    s.M = s.a + 3 * largest_support
    for k in range(n_atoms):
        s.S[k], s.Q[k], s.place[k] = gram[k * n_atoms + k], c[k], NOTHING
        s.squared_norms[k] = s.S[k]
    noise = noise_variance(&s, given_noise, least_noise, n_features)
    n_iter[0] = 0
    while True:
        k = best_change(&s, n_atoms, noise, largest_support, &r, gain)
        if k == NOTHING or gain[0] <= tol or n_iter[0] == max_iter:
            break
        n_iter[0] += 1
        change(&s, gram, n_atoms, c, k, r)
        noise = noise_variance(&s, given_noise, least_noise, n_features)
    log_det[0] = refine(&s, gram, n_atoms, c)
    for j in range(s.size):
        k = s.support[j]
        mean[k], variance[k], prior_variance[k] = s.mean[j], s.w[j], 1 / s.a[j]


cdef double refine(row_state *s, const double *gram, Py_ssize_t n_atoms,
                   const double *c) noexcept nogil:
    """Mean, and to w the variances, of the posterior, free of what the steps' rounding has summed
    up to; returns log det C. By a Cholesky factor, which takes the place of M."""
    cdef Py_ssize_t i, j, p, m = s.size
    cdef double x, log_det = 0
    cdef double *L = s.M
    cdef bint is_definite = True
    for i in range(m):
        s.w[i] = L[i * m + i]
    for i in range(m):
        for j in range(i + 1):
            x = gram[s.support[i] * n_atoms + s.support[j]]
            if i == j:
                x += s.a[i]
            for p in range(j):
                x -= L[i * m + p] * L[j * m + p]
            if i == j:
                # Less is left only by rounding.
                is_definite &= x > 0
                x = max(x, s.a[i])
            L[i * m + j] = sqrt(x) if i == j else x / L[j * m + j]
        log_det += 2 * log(L[i * m + i]) - log(s.a[i])
    if not is_definite:
        return max(log_det, 0)
    for i in range(m):
        x = c[s.support[i]]
        for p in range(i):
            x -= L[i * m + p] * s.mean[p]
        s.mean[i] = x / L[i * m + i]
    for i in range(m - 1, -1, -1):
        x = s.mean[i]
        for p in range(i + 1, m):
            x -= L[p * m + i] * s.mean[p]
        s.mean[i] = x / L[i * m + i]
    # (L^-1)_:i has its entries from i on; the squares of its norms are the variances.
    for i in range(m):
        s.w[i] = 0
        for j in range(i, m):
            x = 1 if i == j else 0
            for p in range(i, j):
                x -= L[j * m + p] * s.v[p]
            s.v[j] = x / L[j * m + j]
            s.w[i] += s.v[j] * s.v[j]
    return max(log_det, 0)


cdef inline double noise_variance(const row_state *s, double given, double least,
                                  double n_features) noexcept nogil:
    """That of greatest evidence at these r, in closed form."""
    if given > 0:
        return given
    return s.E / n_features if s.E > least * n_features else least


cdef Py_ssize_t best_change(const row_state *s, Py_ssize_t n_atoms, double noise,
                            Py_ssize_t largest_support, double *best_r,
                            double *best_gain) noexcept nogil:
    """The atom whose r, moved to its optimum, gains most evidence (Tipping and Faul, 2003)."""
    cdef Py_ssize_t k, p, best = NOTHING
    cdef double S, q2, M, old, new, r, gain
    best_gain[0] = 0
    for k in range(n_atoms):
        p = s.place[k]
        if p == NOTHING:
            S, q2 = s.S[k], s.Q[k] * s.Q[k] / noise
            # An atom within rounding of the others' span has nothing to add, and neither has one
            # whose correlation with what they leave is within rounding.
            if (not q2 > S * (1 + 1e-9) or not S > ROUNDING * s.squared_norms[k]
                    or not fabs(s.Q[k]) > ROUNDING * sqrt(s.squared_norms[k] * s.squared_norm)
                    or s.size == largest_support):
                continue
            old = 0
        else:
            M = s.M[p * s.size + p]
            S = 1 / M - s.a[p]
            q2 = s.mean[p] / M * (s.mean[p] / M) / noise
            old = gain_of(1 / s.a[p], S, q2)
        r = (q2 - S) / (S * S) if q2 > S and S > 0 else 0
        new = gain_of(r, S, q2)
        gain = new - old
        if gain > best_gain[0]:
            best_gain[0], best, best_r[0] = gain, k, r
    return best


cdef inline double gain_of(double r, double S, double q2) noexcept nogil:
    """Evidence with atom k less that without it."""
    cdef double grown = 1 + r * S
    return 0.5 * (q2 * r / grown - log(grown)) if r > 0 else 0


cdef void change(row_state *s, const double *gram, Py_ssize_t n_atoms, const double *c,
                 Py_ssize_t k, double r) noexcept nogil:
    """Sets r_k, and all that depends on it."""
    cdef Py_ssize_t i, j, p = s.place[k], m = s.size
    cdef double old = 0 if p == NOTHING else 1 / s.a[p]
    cdef double delta = r - old, S = s.S[k], Q = s.Q[k], factor, x
    # w = M G_Sk and v = G_k - G_:S w
    for i in range(m):
        x = 0
        for j in range(m):
            x += s.M[i * m + j] * gram[k * n_atoms + s.support[j]]
        s.w[i] = x
    for j in range(n_atoms):
        s.v[j] = gram[k * n_atoms + j]
    for i in range(m):
        x = s.w[i]
        for j in range(n_atoms):
            s.v[j] -= x * gram[s.support[i] * n_atoms + j]
    # Of the two, v_k is the more exact.
    S = s.v[k]
    factor = delta / (1 + delta * S)
    s.E -= factor * Q * Q
    for j in range(n_atoms):
        s.S[j] -= factor * s.v[j] * s.v[j]
        s.Q[j] -= factor * s.v[j] * Q
    if p == NOTHING:
        append(s, k, r, S)
    elif r > 0:
        reestimate(s, p, 1 / r)
    else:
        remove(s, p)
    m = s.size
    for i in range(m):
        x = 0
        for j in range(m):
            x += s.M[i * m + j] * c[s.support[j]]
        s.mean[i] = x


cdef void append(row_state *s, Py_ssize_t k, double r, double S) noexcept nogil:
    cdef Py_ssize_t i, j, m = s.size
    cdef double corner = 1 / (1 / r + S), x
    for i in range(m - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            x = s.M[i * m + j] + corner * s.w[i] * s.w[j]
            s.M[i * (m + 1) + j] = x
    for i in range(m):
        s.M[i * (m + 1) + m] = -corner * s.w[i]
        s.M[m * (m + 1) + i] = -corner * s.w[i]
    s.M[m * (m + 1) + m] = corner
    s.support[m], s.place[k], s.a[m] = k, m, 1 / r
    s.size += 1


cdef void reestimate(row_state *s, Py_ssize_t p, double a) noexcept nogil:
    cdef Py_ssize_t i, j, m = s.size
    cdef double delta = a - s.a[p]
    cdef double factor = delta / (1 + delta * s.M[p * m + p])
    for i in range(m):
        s.w[i] = s.M[i * m + p]
    for i in range(m):
        for j in range(m):
            s.M[i * m + j] -= factor * s.w[i] * s.w[j]
    s.a[p] = a


cdef void remove(row_state *s, Py_ssize_t p) noexcept nogil:
    cdef Py_ssize_t i, j, m = s.size, to = 0
    cdef double corner = s.M[p * m + p]
    for i in range(m):
        s.w[i] = s.M[i * m + p]
    for i in range(m):
        for j in range(m):
            if i != p and j != p:
                s.M[to] = s.M[i * m + j] - s.w[i] * s.w[j] / corner
                to += 1
    s.place[s.support[p]] = NOTHING
    for i in range(p, m - 1):
        s.support[i], s.a[i] = s.support[i + 1], s.a[i + 1]
        s.place[s.support[i]] = i
    s.size -= 1
