"""The number of threads that OpenMP would start here."""

cdef extern from "openmp.h" nogil:
    int omp_get_max_threads()


def max_threads():
    return omp_get_max_threads()
