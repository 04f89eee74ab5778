"""For each control: accounts that raise it, with the severity, and accounts that must not."""

from collections.abc import Sequence

from tests.controls.cases.base import Case as Case
from tests.controls.cases.canonical import DRIFT, MISSING
from tests.controls.cases.credentials import ROOTS, USERS
from tests.controls.cases.enforcement import ENFORCEMENT, EVALUABLE
from tests.controls.cases.git import GIT_CASES
from tests.controls.cases.git_operations import GIT_OPERATIONS
from tests.controls.cases.key_policies import KEY_POLICIES
from tests.controls.cases.keys import KEYS
from tests.controls.cases.organization import ORGANISATION
from tests.controls.cases.repositories import WITH_THEIR_KEYS
from tests.controls.cases.roles import ROLES
from tests.controls.cases.services import THROUGH
from tests.controls.cases.sight import SIGHT
from tests.controls.cases.takeover import TAKEOVER_CASES

CASES: Sequence[Case] = (
    *USERS,
    *ROOTS,
    *ENFORCEMENT,
    *EVALUABLE,
    *TAKEOVER_CASES,
    *GIT_CASES,
    *GIT_OPERATIONS,
    *WITH_THEIR_KEYS,
    *THROUGH,
    *KEYS,
    *KEY_POLICIES,
    *ROLES,
    *MISSING,
    *DRIFT,
    *ORGANISATION,
    *SIGHT,
)
