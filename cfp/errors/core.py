"""The C++ core is missing or old."""

from cfp.errors.base import CfpError


class MissingCoreError(CfpError):
    """The extension module that holds the C++ passes cannot be imported."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            what="the compiled core of cfp is missing",
            where=f"cfp/_native.py importing cfp._cfp_core: {cause}",
            cure="build it with `sh cfp_test/scripts/setup_env.sh` or `pip install .`",
        )


class OutdatedCoreError(CfpError):
    """The extension module was built from another version of the sources."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(
            what=f"the compiled core of cfp is version {found}, and this cfp needs {expected}",
            where="cfp/_native.py importing cfp._cfp_core",
            cure="build it again with `sh cfp_test/scripts/setup_env.sh` or `pip install .`",
        )
