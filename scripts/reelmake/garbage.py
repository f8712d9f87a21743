"""Less work for Python's garbage collector, which goes through all objects again and again."""

import gc

# Objects made before it looks at the young ones; the default is 700.
_YOUNG = 50_000


def keep_for_good() -> None:
    """What is there now (modules, what was planned) is not looked at again, nor at the end.

    A long plan is hundreds of thousands of objects: collecting them, in vain, takes longer than
    anything else that a run does at its end.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
