"""Products of sparse maps with one another and with an image."""

from libc.stdint cimport int64_t

cdef extern from "map_statistics.h" nogil:
    ctypedef struct sparse_maps:
        const int *row
        const int *column
        const int *filter
        const double *code
        const int64_t *starts
        Py_ssize_t n_rows, own_rows, own_columns, n_filters, height, width
    void add_pairs(const sparse_maps *m, Py_ssize_t i, double weight, double *scatter) noexcept
    void add_pixels(const sparse_maps *m, Py_ssize_t i, double weight, const double *image,
                    Py_ssize_t stride, Py_ssize_t channels, double *data) noexcept


def map_products_loop(
    const int[::1] row, const int[::1] column, const int[::1] filter, const double[::1] code,
    const int64_t[::1] starts, Py_ssize_t own_rows, Py_ssize_t own_columns, double weight,
    const double[:, :, ::1] image, double[:, :, :, ::1] scatter, double[:, :, :, ::1] data,
):
    """Adds to `scatter` and `data` what the codes within the image say."""
    cdef sparse_maps m
    cdef Py_ssize_t i
    if row.shape[0] == 0:
        return
    m.row, m.column, m.filter, m.code = &row[0], &column[0], &filter[0], &code[0]
    m.starts, m.n_rows = &starts[0], starts.shape[0] - 1
    m.own_rows, m.own_columns, m.n_filters = own_rows, own_columns, data.shape[0]
    m.height, m.width = data.shape[1], data.shape[2]
    with nogil:
        for i in range(row.shape[0]):
            if row[i] >= own_rows or column[i] < 0 or column[i] >= own_columns:
                continue
            add_pairs(&m, i, weight, &scatter[0, 0, 0, 0])
            add_pixels(&m, i, weight, &image[0, 0, 0], image.shape[1] * image.shape[2],
                       image.shape[2], &data[0, 0, 0, 0])
