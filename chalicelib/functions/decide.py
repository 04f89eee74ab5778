"""decide: test cases sent to the function, decided. Calls no AWS service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.functions.telemetry import logger
from chalicelib.iam.cases import CaseError, decide_case


def decide_cases(event: Mapping[str, Any]) -> dict[str, Any]:
    """Decide neutral cases: `{"cases": [...]}` → `{"outcomes": [...]}`, in order.

    Raises:
        CaseError: an element is no case; the message names it by its number from 0.
    """
    cases = event.get("cases")
    if not isinstance(cases, list):
        raise CaseError("cases: must be an array")
    outcomes = []
    for index, case in enumerate(cases):
        try:
            outcomes.append(decide_case(case).to_json())
        except CaseError as error:
            raise CaseError(f"cases[{index}]: {error}") from None
    logger.info("decided", extra={"cases": len(outcomes)})
    return {"outcomes": outcomes}
