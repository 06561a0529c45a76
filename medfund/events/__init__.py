"""Event types, their envelope and codec, and the contract generated from them.

Importing this package registers every event type, so that `kinds.KINDS` is complete wherever it is seen: a module of
it tells of events, unless it is one of those that are for all of them.
"""

from importlib import import_module
from pkgutil import iter_modules

FOR_ALL = {
    "bulk", "codec", "compatible", "dimensions", "envelope", "fields", "kinds", "refusals", "rules", "schemas",
    "speakers", "upcast",
}  # fmt: skip

for _module in iter_modules(__path__):
    if _module.name not in FOR_ALL:
        import_module(f"{__name__}.{_module.name}")
