"""Costs that outlive the process that found them: a folder of files, one per cost.

    store = Store(options.cache_dir)
    store.get(key)            the Cost that was recorded under this key, or None
    store.keep(key, cost)     recorded; where that cannot be, a CacheWarning and the run goes on
    removable(store, Limits(days=90), now)      what `collect` would remove
    check(store)              what is not as it was written

Any number of processes may share the folder. docs/cache.md says what is guaranteed.
"""

from cfp.costs.recorded.check import check
from cfp.costs.recorded.collect import Limits, Removal, collect, removable
from cfp.costs.recorded.listing import listing
from cfp.costs.recorded.store import CacheWarning, Store
from cfp.costs.recorded.versions import installed_versions

__all__ = [
    "CacheWarning",
    "Limits",
    "Removal",
    "Store",
    "check",
    "collect",
    "installed_versions",
    "listing",
    "removable",
]
