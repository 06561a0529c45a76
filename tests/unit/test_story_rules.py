"""The stories' books follow from the rules once more, as `tests.story_rules` works them out, which knows no service."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import story_rules

STORIES = sorted((Path(__file__).parents[1] / "stories").glob("*.json"))


def told(event: dict[str, Any]) -> dict[str, Any]:
    """An event and its books; the order of lines within an event says nothing."""
    books = {
        name: sorted(one, key=lambda line: sorted(line.items())) if isinstance(one, list) else one
        for name, one in event["expect"].items()
    }
    return {**event, "expect": books}


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_books_of_a_story_are_what_the_rules_make_of_what_it_tells(path: Path) -> None:
    story = json.loads(path.read_text())
    bare = [{name: one for name, one in event.items() if name != "expect"} for event in story["events"]]
    found = story_rules.worked({**story, "events": bare})
    for mine, theirs in zip(found["events"], story["events"], strict=True):
        assert told(mine) == told(theirs)
