"""`python -m tests.integration.openapi_fuzz URL`: calls an API with whatever its OpenAPI document allows.

Exits 1 when an answer is not as documented. A process of its own: the calls would hold up the worker of the tests.
Tokens come in the environment: `TOKEN_GET` and `TOKEN_POST`.
"""

import os
import sys
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

EXAMPLES = 15


def main(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json").exclude(path="/healthz")  # its 503 is an answer
    for result in schema.get_all_operations():
        operation = result.ok()
        token = os.environ[f"TOKEN_{operation.method.upper()}"]
        answered(operation, {"Authorization": f"Bearer {token}"})
        sys.stdout.write(f"{operation.method} {operation.path}\n")


def answered(operation: Any, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def call(case: Any) -> None:
        case.query.pop("wait_for", None)  # a position that was made up is waited for in vain
        # A cursor that was made up is refused, however well it is written.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    call()


if __name__ == "__main__":
    main(sys.argv[1])
