"""Requests generated from a description: each operation by itself, and sequences that follow its
links, the same ones in every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode, Response
from schemathesis.core.result import Ok

from tests.robustness.checks import checks
from tests.robustness.speaking import Speaking

Operation = APIOperation[Any, Any, Any, Any]
SAME_EACH_TIME: Final = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Explorer:
    """Calls, checks every answer, and counts them: operation and status to how often."""

    speaking: Speaking
    schema: BaseSchema
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)

    def call(self, case: Case[Any]) -> Response:
        response = self.speaking.call(case)
        self.seen[case.operation.label, response.status_code] += 1
        return response

    def each_operation(self, examples: int) -> None:
        """So many cases of each operation, half of them with something wrong."""
        for operation in self._operations():
            self._operation(operation, examples)

    def _operations(self) -> Iterator[Operation]:
        for result in self.schema.get_all_operations():
            assert isinstance(result, Ok), result
            yield result.ok()

    def _operation(self, operation: Operation, examples: int) -> None:
        cases = st.one_of([operation.as_strategy(mode) for mode in GenerationMode])

        @given(cases)
        @settings(SAME_EACH_TIME, max_examples=examples)
        def answered(case: Case[Any]) -> None:
            case.validate_response(self.call(case), checks=checks(case))

        answered()

    def sequences(self, paths: str, examples: int, steps: int) -> None:
        """Sequences of operations whose paths match, each on what an earlier one made."""
        explorer = self

        class Machine(self.schema.include(path_regex=paths).as_state_machine()):  # type: ignore[misc]
            def call(self, case: Case[Any], **_: Any) -> Response:
                return explorer.call(case)

            def validate_response(self, response: Response, case: Case[Any], **_: Any) -> None:
                case.validate_response(response, checks=checks(case))

        Machine.run(
            settings=settings(SAME_EACH_TIME, max_examples=examples, stateful_step_count=steps)
        )

    def described(self) -> set[str]:
        return {operation.label for operation in self._operations()}

    def asked(self) -> set[str]:
        return {label for label, _ in self.seen}

    def reached(self) -> set[str]:
        """The operations that did at least once what was asked."""
        return {label for label, status in self.seen if status < 300}
