"""Compiled or interpreted, all modules alike: decided once, before the first of them is loaded.

The modules that Cython compiles lie beside their C extensions.  If one extension is missing, or the
environment variable ``TAPEAD_INTERPRETED`` is set to anything but 0, all are loaded from source.
"""

import importlib.machinery
import os
import sys

COMPILED_MODULES = (
    "array", "calls", "kernels", "lanes", "math", "outside", "partials", "places", "scalar",
    "sources", "special", "sweeps", "sweeps_arrays", "tape",
)  # fmt: skip

_folder = os.path.dirname(os.path.abspath(__file__))
_extensions = importlib.machinery.EXTENSION_SUFFIXES


def _has_extension(module: str) -> bool:
    return any(os.path.exists(os.path.join(_folder, module + s)) for s in _extensions)


def load_from_source() -> None:
    """Let this package's folder be searched for source files only."""
    source = (importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES)
    sys.path_importer_cache[_folder] = importlib.machinery.FileFinder(_folder, source)


_wanted = os.environ.get("TAPEAD_INTERPRETED", "0") in ("", "0")
if not (_wanted and all(map(_has_extension, COMPILED_MODULES))):
    load_from_source()
