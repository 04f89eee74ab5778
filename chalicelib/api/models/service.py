"""What the API says of itself."""

from __future__ import annotations

from typing import Literal

from chalicelib.api.models.values import Told


class Health(Told):
    """That it is there."""

    status: Literal["alive"]
    version: str
