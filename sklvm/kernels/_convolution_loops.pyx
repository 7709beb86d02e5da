"""Sparse codes of images by the places of filters: scans of all places, and sweeps over some.

Rows of places and tiles of the image are shared among threads. Tiles of one colour have no pixel in
common, so that what their atoms do to the residual does not depend on the order of the tiles.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int64_t

cdef extern from "filter_maps.h" nogil:
    ctypedef struct map_scan:
        const double *image
        Py_ssize_t stride, columns, first_place, channels, height, row_taps, n_filters
        const double *taps
        const double *inverse_weights
        int positive
    ctypedef struct map_finds:
        Py_ssize_t capacity, count
        int64_t *keys
        double *values
        double largest
    void scan_row(const map_scan *s, Py_ssize_t i, double threshold, map_finds *finds) noexcept

cdef extern from "filter_blocks.h" nogil:
    ctypedef struct filter_problem:
        double *residual
        const double *mask
        Py_ssize_t stride, rows, columns, channels, height, width, groups
        const double *filters
        const double *bound
        int positive, circular
        double *room
    ctypedef struct filter_atoms:
        const int *row
        const int *column
        const int *filter
        double *code
        const double *curvature
        const double *inverse
    void descend(const filter_problem *f, const filter_atoms *atoms, Py_ssize_t start,
                 Py_ssize_t end) noexcept
    void subtract_all(const filter_problem *f, const filter_atoms *atoms, const double *factors,
                      Py_ssize_t start, Py_ssize_t end) noexcept
    double atom_product(const filter_problem *f, const filter_atoms *atoms, Py_ssize_t n) noexcept
    double atom_curvature(const filter_problem *f, const filter_atoms *atoms,
                          Py_ssize_t n) noexcept


def scan_loop(
    const double[::1] image, Py_ssize_t stride, Py_ssize_t columns, Py_ssize_t first_place,
    Py_ssize_t channels, Py_ssize_t height, Py_ssize_t row_taps, Py_ssize_t n_filters,
    const double[::1] taps, const double[::1] inverse_weights, bint positive, double threshold,
    Py_ssize_t n_rows, Py_ssize_t band_rows, int64_t[:, ::1] keys, double[:, ::1] values,
    int64_t[::1] counts, double[::1] largest, int n_threads,
):
    """Finds of each band of `band_rows` rows of places, from the first value of `image` on."""
    cdef map_scan s
    cdef Py_ssize_t band, n_bands = keys.shape[0]
    s.image, s.stride, s.columns, s.first_place = &image[0], stride, columns, first_place
    s.channels, s.height, s.row_taps, s.n_filters = channels, height, row_taps, n_filters
    s.taps, s.inverse_weights, s.positive = &taps[0], &inverse_weights[0], positive
    for band in prange(n_bands, num_threads=n_threads, schedule="dynamic", nogil=True):
        scan_band(&s, band * band_rows, min((band + 1) * band_rows, n_rows), threshold,
                  keys.shape[1], &keys[band, 0], &values[band, 0], &counts[band], &largest[band])


cdef void scan_band(
    const map_scan *s, Py_ssize_t start, Py_ssize_t end, double threshold, Py_ssize_t capacity,
    int64_t *keys, double *values, int64_t *count, double *largest,
) noexcept nogil:
    cdef map_finds finds
    cdef Py_ssize_t i
    finds.capacity, finds.count, finds.largest = capacity, 0, 0
    finds.keys, finds.values = keys, values
    for i in range(start, end):
        scan_row(s, i, threshold, &finds)
    count[0], largest[0] = finds.count, finds.largest


cdef class FilterLoops:
    """The loops over single atoms, on one image."""

    cdef filter_problem problem
    cdef object _kept

    def __init__(self, double[:, ::1] residual, mask, Py_ssize_t rows, Py_ssize_t columns,
                 Py_ssize_t channels, const double[:, :, ::1] filters, Py_ssize_t width,
                 const double[::1] bound, bint positive, bint circular):
        cdef const double[:, ::1] known
        self._kept = (residual, mask, filters, bound)
        self.problem.residual, self.problem.stride = &residual[0, 0], residual.shape[1]
        self.problem.mask = NULL
        if mask is not None:
            known = mask
            self.problem.mask = &known[0, 0]
        self.problem.rows, self.problem.columns = rows, columns
        self.problem.channels, self.problem.height = channels, filters.shape[1]
        self.problem.width, self.problem.groups = width, filters.shape[2] // 8
        self.problem.filters, self.problem.bound = &filters[0, 0, 0], &bound[0]
        self.problem.positive, self.problem.circular = positive, circular

    def descend(self, const int[::1] row, const int[::1] column, const int[::1] filter,
                double[::1] code, const double[::1] curvature, const double[::1] inverse,
                const int64_t[::1] group_ends, const int64_t[::1] colour_ends, int n_sweeps,
                double[:, ::1] room):
        """Sweeps over all atoms: colour by colour, the groups of one shared among threads."""
        cdef filter_atoms atoms
        cdef Py_ssize_t colour, start
        cdef int _sweep
        if row.shape[0] == 0:
            return
        atoms.row, atoms.column, atoms.filter = &row[0], &column[0], &filter[0]
        atoms.code, atoms.curvature, atoms.inverse = &code[0], &curvature[0], &inverse[0]
        with nogil:
            for _sweep in range(n_sweeps):
                start = 0
                for colour in range(colour_ends.shape[0]):
                    descend_groups(&self.problem, &atoms, &group_ends[0], start,
                                   colour_ends[colour], &room[0, 0], room.shape[1],
                                   room.shape[0])
                    start = colour_ends[colour]

    def subtract(self, const int[::1] row, const int[::1] column, const int[::1] filter,
                 const double[::1] factors, const int64_t[::1] group_ends,
                 const int64_t[::1] colour_ends, double[:, ::1] room):
        """residual −= Σ factors_n m ⊙ d_n."""
        cdef filter_atoms atoms
        cdef Py_ssize_t colour, start = 0
        if row.shape[0] == 0:
            return
        atoms.row, atoms.column, atoms.filter = &row[0], &column[0], &filter[0]
        with nogil:
            for colour in range(colour_ends.shape[0]):
                subtract_groups(&self.problem, &atoms, &factors[0], &group_ends[0], start,
                                colour_ends[colour], &room[0, 0], room.shape[1], room.shape[0])
                start = colour_ends[colour]

    def products(self, const int[::1] row, const int[::1] column, const int[::1] filter,
                 double[::1] out, double[:, ::1] room, bint curvatures):
        """⟨residual, d_n⟩ of each atom, or ‖m ⊙ d_n‖²."""
        cdef filter_atoms atoms
        if row.shape[0] == 0:
            return
        atoms.row, atoms.column, atoms.filter = &row[0], &column[0], &filter[0]
        with nogil:
            all_products(&self.problem, &atoms, row.shape[0], &out[0], &room[0, 0],
                         room.shape[1], room.shape[0], curvatures)


cdef void descend_groups(
    const filter_problem *shared, const filter_atoms *atoms, const int64_t *ends, Py_ssize_t first,
    Py_ssize_t last, double *room, Py_ssize_t room_size, int n_threads,
) noexcept nogil:
    cdef Py_ssize_t group
    for group in prange(first, last, num_threads=n_threads, schedule="dynamic"):
        descend_group(shared, atoms, ends, group, room + threadid() * room_size)


cdef void descend_group(const filter_problem *shared, const filter_atoms *atoms,
                        const int64_t *ends, Py_ssize_t group, double *room) noexcept nogil:
    cdef filter_problem f = shared[0]
    f.room = room
    descend(&f, atoms, ends[group - 1] if group > 0 else 0, ends[group])


cdef void subtract_groups(
    const filter_problem *shared, const filter_atoms *atoms, const double *factors,
    const int64_t *ends, Py_ssize_t first, Py_ssize_t last, double *room, Py_ssize_t room_size,
    int n_threads,
) noexcept nogil:
    cdef Py_ssize_t group
    for group in prange(first, last, num_threads=n_threads, schedule="dynamic"):
        subtract_group(shared, atoms, factors, ends, group, room + threadid() * room_size)


cdef void subtract_group(const filter_problem *shared, const filter_atoms *atoms,
                         const double *factors, const int64_t *ends, Py_ssize_t group,
                         double *room) noexcept nogil:
    cdef filter_problem f = shared[0]
    f.room = room
    subtract_all(&f, atoms, factors, ends[group - 1] if group > 0 else 0, ends[group])


cdef void all_products(
    const filter_problem *shared, const filter_atoms *atoms, Py_ssize_t n_atoms, double *out,
    double *room, Py_ssize_t room_size, int n_threads, bint curvatures,
) noexcept nogil:
    cdef Py_ssize_t n
    for n in prange(n_atoms, num_threads=n_threads, schedule="static"):
        out[n] = one_product(shared, atoms, n, room + threadid() * room_size, curvatures)


cdef double one_product(const filter_problem *shared, const filter_atoms *atoms, Py_ssize_t n,
                        double *room, bint curvatures) noexcept nogil:
    cdef filter_problem f = shared[0]
    f.room = room
    return atom_curvature(&f, atoms, n) if curvatures else atom_product(&f, atoms, n)


def interleave_loop(const int[::1] tiles, const int[:, ::1] groups, Py_ssize_t n_tiles,
                    int64_t[::1] order, int64_t[::1] group_ends, int64_t[::1] ends,
                    int64_t[::1] by_tile):
    """The order of work: group by group of tiles, one atom of each tile in turn.

    `tiles` says which tile an atom belongs to, `groups` has the tiles of each group, −1 for none;
    `ends` (n_tiles + 1) and `by_tile` are room to work in.
    """
    cdef Py_ssize_t n, t, g, i, size = tiles.shape[0], filled = 0
    cdef bint any_left
    cdef int64_t rank
    with nogil:
        for n in range(size):
            ends[tiles[n] + 1] += 1
        for t in range(n_tiles):
            ends[t + 1] += ends[t]
        for n in range(size):
            by_tile[ends[tiles[n]]] = n
            ends[tiles[n]] += 1
        # Now ends[t] is the end of tile t.
        for g in range(groups.shape[0]):
            rank = 0
            any_left = True
            while any_left:
                any_left = False
                for i in range(groups.shape[1]):
                    t = groups[g, i]
                    if t < 0:
                        continue
                    n = (ends[t - 1] if t > 0 else 0) + rank
                    if n < ends[t]:
                        order[filled] = by_tile[n]
                        filled += 1
                        any_left = True
                rank += 1
            group_ends[g] = filled
