"""CodeCommit's lists of repositories, which moto 5.2 lacks, and the key of each, which it forgets.

Source: CodeCommit API reference, "ListRepositories", "BatchGetRepositories", "UpdateRepositoryEncryptionKey".
"""

from __future__ import annotations

import json
from typing import Any

from moto.codecommit.exceptions import RepositoryDoesNotExistException
from moto.codecommit.responses import CodeCommitResponse

from chalicelib.local.emulator.changes import Changes

PAGE = 1000
_KEY = "kmsKeyId"
_create_repository = CodeCommitResponse.create_repository


def add_repositories(changes: Changes) -> None:
    """Add the operations, and the parameter of CreateRepository."""
    changes.add(CodeCommitResponse, list_repositories=_list)
    changes.add(CodeCommitResponse, batch_get_repositories=_batch_get)
    if changes.add(CodeCommitResponse, update_repository_encryption_key=_update_key):
        changes.replace(CodeCommitResponse, "create_repository", _create)


def _list(self: CodeCommitResponse) -> str:
    known = self.codecommit_backend.repositories
    names, start = sorted(known), int(self._get_param("nextToken") or 0)
    page = [known[name].repository_metadata for name in names[start : start + PAGE]]
    answer: dict[str, Any] = {
        "repositories": [{name: one[name] for name in ("repositoryName", "repositoryId")} for one in page]
    }
    if len(names) > start + PAGE:
        answer["nextToken"] = str(start + PAGE)
    return json.dumps(answer)


def _batch_get(self: CodeCommitResponse) -> str:
    known, wanted = self.codecommit_backend.repositories, self._get_param("repositoryNames")
    found = [known[name].repository_metadata for name in wanted if name in known]
    return json.dumps({"repositories": found, "repositoriesNotFound": [name for name in wanted if name not in known]})


def _create(self: CodeCommitResponse) -> str:
    answer = _create_repository(self)
    if key := self._get_param(_KEY):
        self.codecommit_backend.repositories[self._get_param("repositoryName")].repository_metadata[_KEY] = key
        answer = json.dumps({"repositoryMetadata": json.loads(answer)["repositoryMetadata"] | {_KEY: key}})
    return answer


def _update_key(self: CodeCommitResponse) -> str:
    name, key = self._get_param("repositoryName"), self._get_param(_KEY)
    if (repository := self.codecommit_backend.repositories.get(name)) is None:
        raise RepositoryDoesNotExistException(name)
    before = repository.repository_metadata.get(_KEY)
    repository.repository_metadata[_KEY] = key
    answer = {"repositoryId": repository.repository_metadata["repositoryId"], _KEY: key, "originalKmsKeyId": before}
    return json.dumps({name: value for name, value in answer.items() if value is not None})
