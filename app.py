"""The Lambda functions. Entry points only: each translates its trigger and hands over to chalicelib."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from chalice.app import Chalice

from chalicelib.iam.cases import CaseError, decide_case

# Powertools writes the log; Chalice would write each line a second time.
app = Chalice(app_name="mfawatch", configure_logs=False)
logger = Logger(service="mfawatch")


@app.lambda_function(name="decide")
def decide(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Decide neutral cases: `{"cases": [...]}` → `{"outcomes": [...]}`, in order. Calls no AWS service.

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
