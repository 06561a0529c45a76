"""Why something is declined, for people: the rules' own words, and in Chinese what sort of thing is wrong."""

import re
from collections.abc import Mapping

from medfund.http.context import Declined
from medfund.http.foreseeing import Words

NAMES = re.compile(r"\S*[-_/\d]\S*")


def by(by_code: Mapping[str, str], by_words: Mapping[str, str]) -> Words:
    """`by_words`: where no code says it, the first whose words stand in the detail."""

    def declined(detail: str, code: str | None) -> Declined:
        # What exactly is wrong is in the detail, whose names say nothing of the kind.
        said = NAMES.sub("", detail)
        kinds = (zh for words, zh in by_words.items() if re.search(words, said))
        return Declined(detail, f"{by_code.get(code or '') or next(kinds, '与系统现有记录不符')}，详见 detail", code)

    return declined
