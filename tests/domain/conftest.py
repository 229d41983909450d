"""Settings of the property tests: few examples each, so that the whole suite stays quick."""

from hypothesis import settings

# No deadline: a busy machine makes no test wrong.
settings.register_profile("quick", max_examples=150, deadline=None, database=None)
settings.load_profile("quick")
