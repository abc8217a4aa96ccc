"""A text or file that cannot be read or written."""

from cfp.errors.base import CfpError


class UnreadableJsonError(CfpError):
    """A JSON text is not what cfp writes."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            what=f"the JSON cannot be read: {problem}",
            where=place,
            cure="give the file that `to_json` wrote, from the same version of cfp",
        )


class UnreadableFileError(CfpError):
    """A file that should be read or written cannot be."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(
            what=f"the file {path} cannot be opened: {problem}",
            where="the files named on the command line",
            cure="give a path that exists and that you may open; a step that is no file is named "
            "package.module:function",
        )


class UnreadableHloError(CfpError):
    """Bytes that should be HLO are not."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            what=f"the HLO cannot be read: {problem}",
            where=place,
            cure="give a serialised HloModuleProto: jax.jit(step).lower(*args).compiler_ir('hlo')"
            ".as_serialized_hlo_module_proto()",
        )


class UnreadableMeshError(CfpError):
    """A text that should describe a mesh does not."""

    def __init__(self, text: str) -> None:
        super().__init__(
            what=f"{text!r} describes no mesh",
            where="the mesh that was asked for",
            cure="write its axes and their sizes, the major one first: data:4 x model:2",
        )
