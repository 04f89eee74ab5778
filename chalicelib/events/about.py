"""What a call was about, as its record names it: the policy, the group, the key. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.events.fields import text_in
from chalicelib.events.record import Record
from chalicelib.scope import Scope

MOST_TOLD = 3
LONGEST_TOLD = 80
"""Characters of one of them."""
_TOLD = """
    roleName roleArn policyName policyArn groupName serialNumber virtualMFADeviceName accessKeyId
    sSHPublicKeyId serviceSpecificCredentialId serviceName certificateId versionId permissionsBoundary
    newUserName newGroupName sAMLProviderArn openIDConnectProviderArn keyId granteePrincipal repositoryName
    kmsKeyId name trailName rule policyId targetId accountId permissionSetArn principalId status
""".split()
"""The parameters that say what a call was about, in the order in which they are told."""
_ANSWERED = ("accessKeyId", "sSHPublicKeyId", "serviceSpecificCredentialId", "certificateId", "serialNumber")
"""What was made, where the parameters do not name it."""


def about_of(record: Record, scope: Scope | None) -> Iterator[str]:
    """What the parameters name beside whom it concerns; and what was made, where they do not name it."""
    concerned = {*scope.groups, *map(short_name, scope.policies), scope.account} if scope else set()
    texts = [text_in(record.parameters, name) for name in _TOLD]
    made = (held for held in record.response.values() if isinstance(held, Mapping))
    texts += [text_in(held, name) for held in made for name in _ANSWERED]
    told = dict.fromkeys(short_name(text) for text in texts if text)
    # The key of a session is another one each time, and gone soon.
    yield from [text for text in told if text not in concerned and not text.startswith("ASIA")][:MOST_TOLD]


def short_name(text: str) -> str:
    """Of an ARN its last part."""
    last = text.rpartition("/")[2] or text if text.startswith("arn:") else text
    short = last.rpartition(":")[2] if last.startswith("arn:") else last
    return short[:LONGEST_TOLD]
