"""Builds the C++ core as the extension module `cfp._cfp_core`; the metadata is in pyproject.toml.

The extension is `xla_passes/bindings.cc`, the core sources beside it, and nanobind's own single
source. Objects are kept by content under build/ (see xla_passes/cc_build.py), so a second build
compiles only what has changed.
"""

import sys
from pathlib import Path

import nanobind
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "xla_passes"))
import cc_build  # noqa: E402

NANOBIND = Path(nanobind.__file__).parent
OBJECTS = ROOT / "build" / f"core-{sys.implementation.cache_tag}-nanobind-{nanobind.__version__}"
OPTIMIZED = (*cc_build.LANGUAGE, "-O2", "-fPIC", "-fvisibility=hidden")
OURS = (*OPTIMIZED, *cc_build.WARNINGS)
# Foreign code: it needs aliasing rules of its own, and its warnings are not ours to fix.
FOREIGN = (*OPTIMIZED, "-DNDEBUG", "-fno-strict-aliasing", "-ffunction-sections", "-fdata-sections")


class BuildCore(build_ext):
    """Compiles several sources at a time and keeps the objects; linking is left to setuptools."""

    def build_extension(self, ext: Extension) -> None:
        """Builds the one extension there is."""
        try:
            objects = cc_build.compile_units(self._units(), OBJECTS)
        except cc_build.CompilerError as failure:
            raise CompileError(str(failure)) from failure  # the kind that setuptools prints short
        self.compiler.link_shared_object(
            [str(one) for one in objects],
            self.get_ext_fullpath(ext.name),
            extra_postargs=["-Wl,--gc-sections"] if sys.platform == "linux" else [],
            target_lang="c++",
        )

    def _units(self) -> list[cc_build.Unit]:
        include = [f"-isystem{folder}" for folder in (*self.include_dirs, NANOBIND / "include")]
        robin_map = f"-isystem{NANOBIND / 'ext' / 'robin_map' / 'include'}"
        return [
            cc_build.Unit(NANOBIND / "src" / "nb_combined.cpp", (*FOREIGN, *include, robin_map)),
            cc_build.Unit(cc_build.BINDINGS, (*OURS, *include)),
            *(cc_build.Unit(source, OURS) for source in cc_build.core_sources()),
        ]


setup(
    ext_modules=[Extension("cfp._cfp_core", [str(cc_build.BINDINGS.relative_to(ROOT))])],
    cmdclass={"build_ext": BuildCore},
)
