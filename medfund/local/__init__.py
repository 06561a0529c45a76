"""The whole product on one machine, without containers: broker, database and services, kept running."""


class CannotRun(Exception):
    """Something that whoever runs the stack can put right; the message says what."""
