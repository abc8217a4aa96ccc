"""The versions of what is installed, read without importing any of it.

installed_versions()      jax 0.10.2, jaxlib 0.10.2, cfp 0.1.0
"""

from importlib.metadata import PackageNotFoundError, version

from cfp.ir.cost import Versions


def installed_versions(compiler: str = "") -> Versions:
    """What there is here; the compiler is known to who asks it."""
    return Versions(_version("jax"), _version("jaxlib"), _version("cfp"), compiler)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
