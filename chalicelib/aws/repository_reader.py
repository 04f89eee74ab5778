"""CodeCommit's repositories, the keys they are encrypted with, and those keys' policies, in some regions.

What cannot be read becomes a gap, with the region or the key as its subject and AWS's error code in its reason; the
rest is read all the same. A region counts as read once every repository in it was.
Sources: CodeCommit and KMS API references; botocore's service models for the names of operations and their results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws.errors import ERRORS, Pages, code_of, reason_of
from chalicelib.aws.parts import in_parts
from chalicelib.iam.account import Gap, Read
from chalicelib.iam.policy_set import MANAGED_KEY
from chalicelib.iam.repository_keys import key_of

BATCH = 100
"""Repositories asked about at once, the most that CodeCommit takes."""
_OF_ONE = ("Encryption", "MaximumRepositoryNames")
"""How the errors begin that one repository of a batch, or their number, can cause."""
_KEPT = ("Arn", "repositoryName", "kmsKeyId")
"""What of a repository's metadata is kept."""


@dataclass
class RepositoryReader:
    """Reads through a CodeCommit client and a KMS client of each region, which `clients` makes."""

    clients: Callable[[str], tuple[Any, Any]]
    regions: Sequence[str]
    _gaps: list[Gap] = field(default_factory=list, init=False)

    def read(self) -> tuple[dict[str, Any] | None, Sequence[Gap]]:
        """The answer as `Exports.repository_keys` takes it, and what could not be read; None where nothing was."""
        self._gaps = []
        if not self.regions:
            self._gap("", "no region: neither the settings nor the session names one")
            return None, self._gaps
        answer: dict[str, Any] = {"Regions": [], "Repositories": [], "KeyPolicies": {}}
        for region in dict.fromkeys(self.regions):
            try:
                codecommit, kms = self.clients(region)
            except ERRORS as error:
                self._gap(region, reason_of(error))
                continue
            before = len(self._gaps)
            found = list(self._metadata(codecommit, region, self._names(codecommit, region)))
            answer["Repositories"] += found
            if len(self._gaps) == before:
                answer["Regions"].append(region)
            answer["KeyPolicies"] |= self._policies(kms, found)
        return answer, self._gaps

    def _gap(self, subject: str, reason: str) -> None:
        self._gaps.append(Gap(Read.REPOSITORY_KEYS, subject, reason))

    def _names(self, codecommit: Any, region: str) -> list[str]:
        names: list[str] = []
        pages, more = Pages(), dict[str, str]()
        try:
            while True:
                page = codecommit.list_repositories(**more)
                names += (one["repositoryName"] for one in page.get("repositories", []))
                if not page.get("nextToken"):
                    return names
                more = {"nextToken": pages.next(page["nextToken"])}
        except ERRORS as error:
            self._gap(region, reason_of(error))
        return names

    def _metadata(self, codecommit: Any, region: str, names: Sequence[str]) -> Iterator[Mapping[str, str]]:
        for some in in_parts(names, BATCH):
            yield from self._batch(codecommit, region, some)

    def _batch(self, codecommit: Any, region: str, names: Sequence[str]) -> Iterator[Mapping[str, str]]:
        try:
            answer = codecommit.batch_get_repositories(repositoryNames=list(names))
        except ERRORS as error:
            if len(names) > 1 and code_of(error).startswith(_OF_ONE):
                middle = len(names) // 2
                yield from self._batch(codecommit, region, names[:middle])
                yield from self._batch(codecommit, region, names[middle:])
            else:
                self._gap(region, reason_of(error))
            return
        for failed in answer.get("errors", []):
            self._gap(region, f"{failed.get('errorCode', 'error')}: {failed.get('repositoryName', '')}")
        for one in answer.get("repositories", []):
            yield {name: one[name] for name in _KEPT if name in one}

    def _policies(self, kms: Any, repositories: Sequence[Mapping[str, str]]) -> dict[str, str]:
        """ARN → policy of the repositories' keys; of those that AWS manages unnamed, everybody knows it."""
        found: dict[str, str] = {}
        for key in dict.fromkeys(key_of(one["Arn"], one.get("kmsKeyId", "")) for one in repositories):
            if key is None or MANAGED_KEY in key:
                continue
            try:
                found[key] = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
            except ERRORS as error:
                self._gap(key, reason_of(error))
        return found
