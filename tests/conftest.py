"""For all tests: generated examples are not timed, since a busy machine is no fault of the code."""

from hypothesis import settings

settings.register_profile("reelmake", deadline=None)
settings.load_profile("reelmake")
