"""Every way in which cfp can fail, one class each, with the whole text of its message.

A message says what happened, where, and what to do about it:

    the compiled core of cfp is missing
      where: cfp/_native.py importing cfp._cfp_core: No module named 'cfp._cfp_core'
      cure:  build it with `sh cfp_test/scripts/setup_env.sh` or `pip install .`

Callers raise with the facts of the case alone (`raise MissingCoreError(cause)`), so the wording
lives in this folder, and each text has its golden in cfp_test/pure/test_errors.py.
"""

from cfp.errors.base import (
    CfpError,
    InconsistentError,
)
from cfp.errors.cache import (
    CacheFileError,
    DamagedCostError,
    ForeignCostError,
)
from cfp.errors.core import (
    MissingCoreError,
    OutdatedCoreError,
)
from cfp.errors.costs import (
    UnfitMeasurementsError,
    UnfitNetworkError,
    UnknownHardwareError,
    UnreadableNetworkError,
)
from cfp.errors.factories import (
    FactoryNotFoundError,
    FactoryResultError,
    FlagValueError,
    UnknownFlagError,
    UnsuitableFactoryError,
)
from cfp.errors.files import (
    UnreadableFileError,
    UnreadableHloError,
    UnreadableJsonError,
    UnreadableMeshError,
)
from cfp.errors.plans import (
    ChangedPlanError,
    NoPlanError,
    NoSuchFormError,
    NotYetTracedError,
    PlanFileError,
    PlanForOtherArgumentsError,
    PlanForOtherMeshError,
    PlanForOtherStepError,
    TooManyChoicesError,
    UnfitBaselineError,
    UnfitDegreesError,
    UnknownPlanSchemaError,
    UnreadableBaselineError,
)
from cfp.errors.requests import (
    BrokenPinError,
    ContradictingPinsError,
    ExplicitMeshError,
    MemoryLimitError,
    TwoDeviceListsError,
    UnhashableStaticError,
    UnknownArgumentError,
    UnreadablePinError,
)
from cfp.errors.running import (
    DeviceCountError,
    DonatedArgumentError,
    IndivisibleError,
    OtherArgumentError,
    UnfitLayoutError,
)
from cfp.errors.steps import (
    LeakedTracerError,
    LostUpdateError,
    NonArrayArgumentError,
    NotLowerableError,
    SideEffectError,
    StepRaisedError,
    ValueNeededError,
    WrongArgumentsError,
)

__all__ = [
    "BrokenPinError",
    "CacheFileError",
    "CfpError",
    "ChangedPlanError",
    "ContradictingPinsError",
    "DamagedCostError",
    "DeviceCountError",
    "DonatedArgumentError",
    "ExplicitMeshError",
    "FactoryNotFoundError",
    "FactoryResultError",
    "FlagValueError",
    "ForeignCostError",
    "InconsistentError",
    "IndivisibleError",
    "LeakedTracerError",
    "LostUpdateError",
    "MemoryLimitError",
    "MissingCoreError",
    "NoPlanError",
    "NoSuchFormError",
    "NonArrayArgumentError",
    "NotLowerableError",
    "NotYetTracedError",
    "OtherArgumentError",
    "OutdatedCoreError",
    "PlanFileError",
    "PlanForOtherArgumentsError",
    "PlanForOtherMeshError",
    "PlanForOtherStepError",
    "SideEffectError",
    "StepRaisedError",
    "TooManyChoicesError",
    "TwoDeviceListsError",
    "UnfitBaselineError",
    "UnfitDegreesError",
    "UnfitLayoutError",
    "UnfitMeasurementsError",
    "UnfitNetworkError",
    "UnhashableStaticError",
    "UnknownArgumentError",
    "UnknownFlagError",
    "UnknownHardwareError",
    "UnknownPlanSchemaError",
    "UnreadableBaselineError",
    "UnreadableFileError",
    "UnreadableHloError",
    "UnreadableJsonError",
    "UnreadableMeshError",
    "UnreadableNetworkError",
    "UnreadablePinError",
    "UnsuitableFactoryError",
    "ValueNeededError",
    "WrongArgumentsError",
]
