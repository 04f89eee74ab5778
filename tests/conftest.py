"""What all tests share."""

from __future__ import annotations

import os
from functools import cache

import botocore.session
from hypothesis import HealthCheck, settings

# Examples are judged by what they find, not by how long a loaded machine takes over them. A person's runs draw new ones
# each time; continuous integration repeats the same ones, so that a change is judged by what it changes.
settings.register_profile(
    "mfawatch",
    max_examples=100 if "MFAWATCH_THOROUGH" in os.environ else 35,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mfawatch")

# AWS's descriptions of its services are large, and each session of boto3 reads them anew: here all sessions share them.
botocore.session.create_loader = cache(botocore.session.create_loader)
