"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Examples are judged by what they find, not by how long a loaded machine takes over them.
settings.register_profile("mfawatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mfawatch")
