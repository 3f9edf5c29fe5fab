"""Property tests of all folders: no deadline, for a machine that does other work is no fault of the code."""

from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
