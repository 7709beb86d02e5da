"""Build the Cython kernels; everything static about the project is in pyproject.toml."""

import os
import sys
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, SetupError

# SKLVM_DEBUG_BUILD=1 python -m pip install -e . : bounds checks on, optimisation off.
DEBUG_BUILD = os.environ.get("SKLVM_DEBUG_BUILD", "0") not in ("", "0")
# SKLVM_SANITIZE=address,undefined: the C code reports what it must not do; see tests/sanitized.py.
SANITIZERS = os.environ.get("SKLVM_SANITIZE", "")

COMPILER_DIRECTIVES = {
    "language_level": 3,
    "boundscheck": DEBUG_BUILD,
    "wraparound": DEBUG_BUILD,
    "initializedcheck": DEBUG_BUILD,
    "cdivision": True,
    "freethreading_compatible": True,
}

# No fused multiply-add, so that the results are the same bits on every CPU. Neither of the other
# two flags changes a value: they only tell the compiler that nobody reads errno or the floating
# point exception flags, without which it may not vectorise a square root or a selection.
UNIX_COMPILE_FLAGS = [
    "-O0" if DEBUG_BUILD else "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-g" if DEBUG_BUILD or SANITIZERS else "-g0",
]
UNIX_LINK_FLAGS = []
if SANITIZERS:
    UNIX_LINK_FLAGS = [f"-fsanitize={SANITIZERS}"]
    UNIX_COMPILE_FLAGS += [
        *UNIX_LINK_FLAGS,
        "-O1",
        "-fno-omit-frame-pointer",
        "-fno-sanitize-recover=all",
        "-DSKLVM_ONE_CLONE",
    ]

# (compile flags, link flags), the first pair that builds a program is used.
UNIX_OPENMP_FLAGS = [
    (["-fopenmp"], ["-fopenmp"]),
    (["-Xpreprocessor", "-fopenmp"], ["-lomp"]),  # the compiler of macOS
]
MSVC_OPENMP_FLAGS = [(["/openmp"], [])]

PROBE = "int main(void) { return 0; }"

NO_COMPILER = """
sklvm needs a C compiler to build its kernels, and {compiler!r} did not compile an empty program.

    Debian, Ubuntu    apt install gcc
    Fedora            dnf install gcc
    macOS             xcode-select --install
    Windows           the "Desktop development with C++" workload of the Visual Studio build tools
    conda             conda install c-compiler
"""

OPENMP_PROBE = """
#include <omp.h>
int main(void) {
    int total = 0;
    #pragma omp parallel for reduction(+:total)
    for (int i = 0; i < 4; i++) total += omp_get_num_threads() > 0;
    return total != 4;
}
"""


class BuildKernels(build_ext):
    """build_ext with the flags that this compiler understands, and OpenMP if it has it."""

    def build_extensions(self):
        is_msvc = self.compiler.compiler_type == "msvc"
        compile_flags = ["/O2"] if is_msvc else UNIX_COMPILE_FLAGS
        if not self._can_build(PROBE, [], []):
            command = "cl.exe" if is_msvc else self.compiler.compiler[0]
            raise SetupError(NO_COMPILER.format(compiler=command))
        openmp_compile, openmp_link = self._find_openmp(
            MSVC_OPENMP_FLAGS if is_msvc else UNIX_OPENMP_FLAGS
        )
        for extension in self.extensions:
            extension.extra_compile_args = [*compile_flags, *openmp_compile]
            extension.extra_link_args = [*openmp_link, *([] if is_msvc else UNIX_LINK_FLAGS)]
        super().build_extensions()

    def _find_openmp(self, candidates):
        for compile_flags, link_flags in candidates:
            if self._can_build(OPENMP_PROBE, compile_flags, link_flags):
                return compile_flags, link_flags
        print(
            "sklvm: the compiler has no OpenMP, so that the kernels will run on one thread.",
            file=sys.stderr,
        )
        return [], []

    def _can_build(self, source, compile_flags, link_flags):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "probe.c"
            path.write_text(source)
            try:
                objects = self.compiler.compile(
                    [str(path)], output_dir=folder, extra_postargs=compile_flags
                )
                self.compiler.link_executable(
                    objects, "probe", output_dir=folder, extra_postargs=link_flags
                )
            except (CCompilerError, ExecError):
                return False
        return True


def find_extensions():
    """One extension a .pyx file, rebuilt when a header beside it changes."""
    for path in sorted(Path("sklvm").rglob("*.pyx")):
        yield Extension(
            ".".join(path.with_suffix("").parts),
            sources=[path.as_posix()],
            depends=[header.as_posix() for header in sorted(path.parent.glob("*.h"))],
            include_dirs=[path.parent.as_posix()],
        )
    # The code that Cython's memoryviews need, compiled once and shared by all modules.
    yield Extension("sklvm._cyutility", sources=["sklvm/_cyutility.c"])


setup(
    ext_modules=cythonize(
        list(find_extensions()),
        compiler_directives=COMPILER_DIRECTIVES,
        shared_utility_qualified_name="sklvm._cyutility",
        show_all_warnings=False,
    ),
    cmdclass={"build_ext": BuildKernels},
)
