"""Recorded costs that cannot be written, read or trusted."""

from cfp.errors.base import CfpError


class CacheFileError(CfpError):
    """A file of the cache cannot be written, read or removed."""

    def __init__(self, path: str, wanted: str, problem: str) -> None:
        super().__init__(
            what=f"{path} cannot be {wanted}: {problem}",
            where="the folder in which costs are recorded",
            cure="make room there and let yourself write, or name another folder: "
            "CFP_CACHE_DIR=folder",
        )


class DamagedCostError(CfpError):
    """A recorded cost is not what was written."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            what=f"the recorded cost in {path} is damaged: {problem}",
            where="the folder in which costs are recorded",
            cure="it is ignored, and replaced when that cost is found anew; `cfp cache gc` removes "
            "it",
        )


class ForeignCostError(CfpError):
    """A recorded cost is written in a form that this cfp does not know."""

    def __init__(self, path: str, found: str, known: int) -> None:
        super().__init__(
            what=f"the recorded cost in {path} has schema {found}, and this cfp reads schema "
            f"{known}",
            where="the folder in which costs are recorded",
            cure="it is ignored; read it with the version of cfp that wrote it, or remove it by "
            "`cfp cache gc --other_versions`",
        )
