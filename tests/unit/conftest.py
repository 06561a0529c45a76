"""How properties are tested: without a deadline, since the machine is shared; a failure prints how to replay it."""

from hypothesis import settings

settings.register_profile("medfund", deadline=None, print_blob=True)
settings.load_profile("medfund")
