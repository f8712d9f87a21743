"""How much memory a process may hold that opens what strangers made."""

import contextlib

MEMORY_BYTES = 3 * 1024**3
"""Three times what the largest pictures take that are decoded, 8K, measured as 1.1 GB."""

MEMORY_WITH_MODELS_BYTES = 10 * 1024**3
"""For the offline engine: the largest Whisper, 1.55 billion numbers of four bytes, fits as well.

The bundled models take 0.8 GB of it.
"""


def limit_memory(size_bytes: int = MEMORY_BYTES) -> None:
    """From now on, what this process asks for beyond ``size_bytes`` is refused: a MemoryError.

    Data and not addresses are counted, since threads and models reserve far more than they use.
    Systems without such limits go on without.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415  only on Unix

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            size_bytes = min(size_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (size_bytes, hard))
