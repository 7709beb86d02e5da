"""Run tests with the C code under AddressSanitizer and UndefinedBehaviorSanitizer.

    python tests/sanitized.py [pytest arguments]

The package is copied to a temporary folder, built there, and tested there; by default by the tests
of the kernels, of sparse coding and of hard tables. It takes gcc or clang with both sanitizers.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TESTS = ["tests/kernels", "tests/sparse_coding", "tests/test_hard_tables.py"]
TREES = ["sklvm", "tests"]
FILES = ["setup.py", "pyproject.toml", "README.md", "LICENSE"]
LIBRARIES = ["libasan.so", "libubsan.so"]


def libraries():
    """Paths of the sanitizers' libraries, which must be loaded before Python; empty without."""
    compiler = os.environ.get("CC", "gcc")
    if shutil.which(compiler) is None:
        return []
    paths = [
        subprocess.run(
            [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=False
        ).stdout.strip()
        for name in LIBRARIES
    ]
    # A compiler that has no such file prints the bare name.
    return paths if all(os.path.isabs(path) and os.path.exists(path) for path in paths) else []


def run(arguments):
    """Build a copy, run pytest on it, and return what it printed and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        # Compiled modules and C files stay behind: they are not those of this build.
        skipped = shutil.ignore_patterns("*.so", "*.c", "__pycache__")
        for name in TREES:
            shutil.copytree(ROOT / name, Path(folder, name), ignore=skipped)
        for name in FILES:
            shutil.copy(ROOT / name, folder)
        environment = {
            **os.environ,
            "PYTHONPATH": folder,
            "OPENBLAS_NUM_THREADS": "1",
            "SKLVM_SANITIZE": "address,undefined",
        }
        build = subprocess.run(
            [sys.executable, "setup.py", "build_ext", "--inplace"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if build.returncode:
            return build.stdout + build.stderr, build.returncode
        environment |= {
            "LD_PRELOAD": " ".join(libraries()),
            # Python itself leaves much allocated at its end.
            "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        tests = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return tests.stdout + tests.stderr, tests.returncode


if __name__ == "__main__":
    if not libraries():
        sys.exit("The compiler has no AddressSanitizer and UndefinedBehaviorSanitizer.")
    given = [os.path.relpath(path, ROOT) if os.path.exists(path) else path for path in sys.argv[1:]]
    text, code = run(given or [path for path in DEFAULT_TESTS if (ROOT / path).exists()])
    print(text)
    sys.exit(code)
