"""The stop switch in an SSM parameter: nothing is changed unless it says so, at the moment of each change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.aws.errors import ERRORS, code_of, reason_of

RUNS = "run"
"""The one value with which anything is changed."""


@dataclass(frozen=True)
class ParameterStopSwitch:
    """A `StopSwitch` through an SSM client. It is asked anew each time: whoever stops it stops it at once."""

    ssm: Any
    name: str
    may_be_missing: bool = False
    """Whether there may be none, as where nothing is deployed; then nobody can have pulled it."""

    def __call__(self) -> str:
        """See `StopSwitch`."""
        try:
            value = self.ssm.get_parameter(Name=self.name)["Parameter"]["Value"]
        except ERRORS as error:
            if self.may_be_missing and code_of(error) == "ParameterNotFound":
                return ""
            return f"the parameter {self.name} cannot be read: {reason_of(error)}"
        return "" if value == RUNS else f"the parameter {self.name} does not say {RUNS}"
