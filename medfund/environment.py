"""Settings from the environment: one sentence says which are missing or wrong.

Loads nothing that a command may do without until it is asked for settings.
"""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

Settings = TypeVar("Settings", bound="BaseSettings")


class Incomplete(Exception):
    """A setting is missing or wrong; the message names it."""


def load(kind: type[Settings]) -> Settings:
    """Settings of a process. Raises `Incomplete`."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    try:
        return kind()
    except SettingsError as error:
        raise Incomplete(f"the environment is not complete: {error}") from error
    except ValidationError as error:
        missing = [_name(problem["loc"]) for problem in error.errors() if problem["type"] == "missing"]
        wrong = [
            ": ".join(filter(None, (_name(problem["loc"]), problem["msg"])))
            for problem in error.errors()
            if problem["type"] != "missing"
        ]
        told = [f"{', '.join(missing)} must be given", *wrong] if missing else wrong
        raise Incomplete(f"the environment is not complete: {'; '.join(told)}") from error


def _name(location: tuple[int | str, ...]) -> str:
    """Nothing where settings do not fit each other."""
    return str(location[0]).upper() if location else ""
