"""An account's IAM state, read with as few calls as a verdict needs.

Whole lists come a page at a time, a thousand items a page: the authorization details, the virtual devices, the Git
credentials, and the credential report. Calls for one user are made where a verdict hangs on them alone (see
`analysis.reading`), so their number does not grow with the users who are fine.

What cannot be read, or not in full, becomes a gap with AWS's error code as its reason; the rest is read all the same.
Sources: IAM API reference; botocore's service model for the names of operations and their results.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from time import sleep
from typing import Any

from chalicelib.analysis.reading import Asking, to_confirm
from chalicelib.aws.errors import ERRORS, Pages, code_of, reason_of
from chalicelib.aws.repository_reader import RepositoryReader
from chalicelib.iam.account import AccountSnapshot, Gap, Read
from chalicelib.iam.answers import ExportError
from chalicelib.iam.carriers import users_among
from chalicelib.iam.exports import CODECOMMIT, Exports, read_exports
from chalicelib.iam.request import account_of_resource
from chalicelib.iam.snapshot_file import ANSWERS
from chalicelib.ports import TooManyUsers

PAGE = 1000
"""Items a page, the most that IAM gives."""
WORKERS = 16
"""Calls for single users that are made at once."""
REPORT_CHECKS = 20
"""How often the credential report is asked for before it is given up."""
REPORT_PAUSE = 1.5
"""Seconds between two of them."""


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class IamReader:
    """Reads one account through an IAM client, and its repositories' keys where a verdict hangs on them.

    `now` tells the time and `pause` waits for a number of seconds; both are there to be replaced in tests.
    """

    iam: Any
    now: Callable[[], datetime] = _now
    pause: Callable[[float], None] = sleep
    organization: Callable[[str], dict[str, Any] | Gap] | None = None
    """Account → the answer about its service control policies, or the gap; None where nobody can be asked."""
    repositories: RepositoryReader | None = None
    _gaps: list[Gap] = field(default_factory=list, init=False)

    def read_account(self, recent: Collection[str] = ()) -> tuple[Exports, datetime]:
        """The whole account as AWS's answers, and the moment whose state they tell: see `SnapshotReader`."""
        self._gaps = []
        taken = self.now()
        self._start_report()
        with ThreadPoolExecutor() as pool:
            details, report = pool.submit(self._details), pool.submit(self._report)
            virtual, services = pool.submit(self._virtual_devices), pool.submit(self._service_credentials)
        exports = Exports(
            authorization_details=details.result(),
            virtual_mfa_devices=virtual.result(),
            service_credentials=services.result(),
            credential_report=report.result(),
        )
        if exports.authorization_details is None and exports.credential_report is None:
            return replace(exports, gaps=tuple(self._gaps)), taken
        exports = replace(exports, service_control_policies=self._scps(exports.authorization_details))
        if exports.credential_report is not None:
            asked = sorted(users_among(details.result() or {}, recent))
            exports = replace(exports, login_profiles=self._login_profiles(asked), access_keys=self._access_keys(asked))
        return self._with_what_is_needed(exports, taken, confirm=True), taken

    def read_users(
        self,
        users: Collection[str],
        groups: Collection[str] = (),
        policies: Collection[str] = (),
        *,
        most: int | None = None,
        repositories: bool = False,
    ) -> tuple[Exports, datetime]:
        """The account's policies, and all credentials and devices of some users, as they are now: see `SnapshotReader`.

        The policies of a few users take about as many calls as those of all, which come a thousand items a page, and
        roles and groups with them. The credential report, which may be hours old, is not asked for. With `repositories`
        their keys are read even where no verdict on these users hangs on them.
        """
        self._gaps = []
        taken = self.now()
        details = self._details()
        asked = sorted(users_among(details or {}, users, groups, policies))
        if most is not None and len(asked) > most:
            raise TooManyUsers(len(asked))
        exports = Exports(
            authorization_details=details,
            login_profiles=self._login_profiles(asked),
            access_keys=self._access_keys(asked),
            mfa_devices=self._of_users(Read.MFA_DEVICES, "list_mfa_devices", "MFADevices", asked),
            service_credentials=self._of_users(
                Read.SERVICE_CREDENTIALS,
                "list_service_specific_credentials",
                "ServiceSpecificCredentials",
                asked,
                ServiceName=CODECOMMIT,
            ),
            service_control_policies=self._scps(details),
            asked=frozenset(asked),
        )
        if details is None:
            return replace(exports, gaps=tuple(self._gaps)), taken
        return self._with_what_is_needed(exports, taken, always=repositories), taken

    def _with_what_is_needed(
        self, exports: Exports, taken: datetime, *, confirm: bool = False, always: bool = False
    ) -> Exports:
        """The answers, with those about single users and repositories that a verdict hangs on.

        `confirm` asks for the devices of whom the credential report accuses; `always` for the repositories in any case.
        """
        exports = replace(exports, as_needed=self._as_needed())
        exports, snapshot = self._understood(exports, taken)
        asking = Asking(snapshot, exports.asked)
        if confirm:
            devices = self._of_users(Read.MFA_DEVICES, "list_mfa_devices", "MFADevices", to_confirm(snapshot))
            exports = replace(exports, mfa_devices=devices)
        keys = self._of_users(Read.SSH_PUBLIC_KEYS, "list_ssh_public_keys", "SSHPublicKeys", asking.for_ssh_keys())
        exports = replace(exports, ssh_public_keys=keys, repository_keys=self._repository_keys(asking, always=always))
        return replace(exports, gaps=tuple(self._gaps))

    def _understood(self, exports: Exports, taken: datetime) -> tuple[Exports, AccountSnapshot]:
        """The answers that are what they are said to be, and the account they tell of; any other becomes a gap."""
        while True:
            try:
                return exports, read_exports(replace(exports, gaps=tuple(self._gaps)), taken)
            except ExportError as error:
                self._gaps.append(Gap(error.read, "", f"an answer that is none: {error}"))
                without: dict[str, Any] = {ANSWERS[error.read]: None}
                exports = replace(exports, **without)

    def _as_needed(self) -> frozenset[Read]:
        return frozenset({Read.SSH_PUBLIC_KEYS, *([Read.REPOSITORY_KEYS] if self.repositories else [])})

    def _repository_keys(self, asking: Asking, *, always: bool = False) -> dict[str, Any] | None:
        if self.repositories is None or not (always or asking.for_repository_keys()):
            return None
        answer, gaps = self.repositories.read()
        self._gaps += gaps
        return answer

    # --- lists -------------------------------------------------------------------------------------------------------

    def _details(self) -> dict[str, Any] | None:
        names = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
        found = self._pages(Read.AUTHORIZATION_DETAILS, "", self.iam.get_account_authorization_details, names)
        if found is None:
            return None
        # What comes or goes while pages are read moves others from page to page: the later page is the newer one.
        once = {name: list({_arn(item) or id(item): item for item in found[name]}.values()) for name in names}
        return {**found, **once}

    def _virtual_devices(self) -> dict[str, Any] | None:
        call = partial(self.iam.list_virtual_mfa_devices, AssignmentStatus="Assigned")
        return self._pages(Read.VIRTUAL_MFA_DEVICES, "", call, ("VirtualMFADevices",))

    def _service_credentials(self) -> dict[str, Any] | None:
        call = partial(self.iam.list_service_specific_credentials, AllUsers=True, ServiceName=CODECOMMIT)
        return self._pages(Read.SERVICE_CREDENTIALS, "", call, ("ServiceSpecificCredentials",))

    def _pages(
        self, read: Read, subject: str, call: Callable[..., Mapping[str, Any]], names: Iterable[str]
    ) -> dict[str, Any] | None:
        """All pages of an answer as one; of a failure on the way what came before it, marked as truncated."""
        found: dict[str, Any] = {name: [] for name in names}
        pages, marker = Pages(), dict[str, str]()
        try:
            while True:
                page = call(MaxItems=PAGE, **marker)
                for name, items in found.items():
                    items += page[name]  # AWS leaves out no list, and a proxy's page has none: nobody is gone by that
                if not page.get("IsTruncated"):
                    return dict(_plain(found))
                marker = {"Marker": pages.next(page["Marker"])}
        except ERRORS as error:
            self._gaps.append(Gap(read, subject, reason_of(error)))
        return dict(_plain({**found, "IsTruncated": True})) if marker else None

    # --- the organisation --------------------------------------------------------------------------------------------

    def _scps(self, details: Any) -> dict[str, Any] | None:
        """The service control policies of the account whose details these are."""
        arns = (_arn(item) for items in (details or {}).values() if isinstance(items, list) for item in items)
        account = next(filter(None, map(account_of_resource, arns)), "")
        if self.organization is None or not account:
            return None
        found = self.organization(account)
        if isinstance(found, Gap):
            self._gaps.append(found)
            return None
        return found

    # --- the credential report ---------------------------------------------------------------------------------------

    def _start_report(self) -> None:
        """Ask for a report, so that it is there when the lists are read; a cached one stays as it is."""
        try:
            self.iam.generate_credential_report()
        except ERRORS:
            return  # the failure shows where the report is fetched

    def _report(self) -> str | None:
        """The report as the AWS CLI prints it, with the time of its making."""
        for check in range(REPORT_CHECKS):
            try:
                answer = self.iam.get_credential_report()
            except ERRORS as error:
                if code_of(error) not in _NOT_YET:
                    self._gaps.append(Gap(Read.CREDENTIAL_REPORT, "", reason_of(error)))
                    return None
                if code_of(error) != "ReportInProgress":
                    self._start_report()
                if check + 1 < REPORT_CHECKS:
                    self.pause(REPORT_PAUSE)
            else:
                content = base64.b64encode(answer["Content"]).decode()
                return json.dumps({"Content": content, "GeneratedTime": _text(answer.get("GeneratedTime"))})
        self._gaps.append(Gap(Read.CREDENTIAL_REPORT, "", f"not made within {REPORT_CHECKS} checks"))
        return None

    # --- single users ------------------------------------------------------------------------------------------------

    def _of_users(
        self, read: Read, operation: str, name: str, users: Iterable[str], **parameters: Any
    ) -> dict[str, Any]:
        """User name → the user's answer; the users who could not be asked are gaps."""
        call = getattr(self.iam, operation)
        wanted = list(users)

        def ask(user: str) -> dict[str, Any] | None:
            return self._pages(read, user, partial(call, UserName=user, **parameters), (name,))

        with ThreadPoolExecutor(WORKERS) as pool:
            answers = pool.map(ask, wanted)
            return {user: answer for user, answer in zip(wanted, answers, strict=True) if answer is not None}

    def _access_keys(self, users: Iterable[str]) -> dict[str, Any]:
        return self._of_users(Read.ACCESS_KEYS, "list_access_keys", "AccessKeyMetadata", users)

    def _login_profiles(self, users: Iterable[str]) -> dict[str, Any]:
        """User name → the answer about the user's password, None for one who has none."""
        found: dict[str, Any] = {}
        for user in users:
            try:
                found[user] = _plain(self.iam.get_login_profile(UserName=user))
            except ERRORS as error:
                if code_of(error) == "NoSuchEntity":
                    found[user] = None
                else:
                    self._gaps.append(Gap(Read.LOGIN_PROFILES, user, reason_of(error)))
        return found


_NOT_YET = frozenset({"ReportNotPresent", "ReportExpired", "ReportInProgress"})
"""Errors of GetCredentialReport that pass (IAM API reference)."""


def _arn(item: Any) -> str:
    """The ARN of an item of a list; empty where it has none."""
    found = item.get("Arn") if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else ""


def _plain(value: Any) -> Any:
    """boto3's values as JSON has them: moments as text."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _text(value) if isinstance(value, datetime) else value


def _text(moment: Any) -> Any:
    return moment.isoformat() if isinstance(moment, datetime) else moment
