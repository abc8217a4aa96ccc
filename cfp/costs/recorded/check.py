"""Whether every recorded cost is as it was written.

check(store)      (DamagedCostError(…),), the errors that say what is wrong; empty where nothing
"""

from cfp.costs.recorded.store import Store, Unusable
from cfp.errors import CfpError


def check(store: Store) -> tuple[CfpError, ...]:
    """One error for each file that cannot be used."""
    return tuple(one.error for one in store.contents() if isinstance(one, Unusable))
