"""Tokens of a folder: nothing about them is guessed, and they come from keys that somebody has made on purpose."""

from pathlib import Path
from typing import Any

import pytest

from medfund.http import tokens
from medfund.local import access
from medfund.local.access import NoKeys

LACKING = """
role       said                             missing
publisher  area=152500                      --source
publisher  source=/gateway/152500           --area
publisher                                   --area and --source
provider   area=152500                      --organisation
supplier   area=152500                      --organisation
finance    organisation=*                   --area
approver                                    --area
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    tokens.make_keys(tmp_path)
    return tmp_path


def said(text: str) -> dict[str, Any]:
    pairs = [part.split("=") for part in text.split()]
    return {f"{name}s": [value] for name, value in pairs}


@pytest.mark.parametrize("line", LACKING.strip().splitlines()[1:])
def test_a_token_that_does_not_say_whom_it_is_for_is_not_made(data: Path, line: str) -> None:
    role, given, missing = line[:11].strip(), line[11:44], line[44:]
    with pytest.raises(ValueError, match=f"a token of a {role} has to name {missing}$"):
        access.issue(data, role, **said(given))


def test_what_was_said_is_what_the_token_says(data: Path) -> None:
    public = tokens.load_key(data / tokens.PUBLIC)
    made = access.issue(data, "publisher", areas=["152500"], sources=["/gateway/152500"], subject="gw-3")
    found = tokens.verify(public, made)
    assert (found.areas, found.organisations, found.sources) == (("152500",), ("*",), ("/gateway/152500",))
    assert tokens.verify(public, access.issue(data, "auditor")).areas == ("*",)


def test_no_key_is_made_in_a_folder_that_has_none(tmp_path: Path) -> None:
    with pytest.raises(NoKeys, match="there is no stack in"):
        access.issue(tmp_path, "operator")
    assert list(tmp_path.iterdir()) == []


def test_the_stack_gives_one_token_of_each_role(data: Path) -> None:
    public = tokens.load_key(data / tokens.PUBLIC)
    assert [tokens.verify(public, text).role for text in access.one_of_each(data).values()] == list(tokens.Role)
