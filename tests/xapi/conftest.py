"""What the tests of the pure core share: hypothesis never judges by the clock of a busy machine."""

from hypothesis import settings

settings.register_profile("xapi", deadline=None)
settings.load_profile("xapi")
