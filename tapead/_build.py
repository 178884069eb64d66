"""How the compiled modules are built: as setuptools does it, with NumPy's headers at hand."""

import numpy
from setuptools.command.build_ext import build_ext


class BuildExtensions(build_ext):
    """`build_ext` that finds NumPy's C headers."""

    def finalize_options(self):
        super().finalize_options()
        self.include_dirs.append(numpy.get_include())
