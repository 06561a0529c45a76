"""How often Python's cycle collector runs in a process that works in batches."""

import gc


def collect_seldom() -> None:
    """For the start of a process. A batch is many thousand short-lived objects without cycles, and by default the
    collector would walk all of them again and again; now it looks at the few cycles that connections leave behind,
    seldom, and never at what start-up made."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)
