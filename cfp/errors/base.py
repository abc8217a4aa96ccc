"""What every error has, and the error of a value that contradicts itself."""


class CfpError(Exception):
    """Something cfp cannot do: `what` happened, `where`, and the `cure`."""

    def __init__(self, what: str, where: str, cure: str) -> None:
        super().__init__(f"{what}\n  where: {where}\n  cure:  {cure}")
        self.what = what
        self.where = where
        self.cure = cure


class InconsistentError(CfpError):
    """A value contradicts itself; its `verify` found it."""

    def __init__(self, kind: str, name: str, fact: str) -> None:
        super().__init__(
            what=f"the {kind} contradicts itself: {fact}",
            where=f"{kind}.verify of {name!r}",
            cure="make it again with the pass it comes from; if the pass made it, that is a bug",
        )
