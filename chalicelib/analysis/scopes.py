"""Sets of actions that belong to one question.

The care of one's own credentials, CodeCommit, KMS and STS are questions of their own; whatever else is allowed without
MFA goes beyond enrolment.
"""

from __future__ import annotations

from functools import cache

from chalicelib.analysis.universe import Actions, Kind, actions_named, everything, of_kind, union, universe

ENROLMENT = (
    "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetMFADevice", "iam:GetUser", "iam:ListMFADevices",
    "iam:ListVirtualMFADevices", "iam:ResyncMFADevice",
)  # fmt: skip
"""What a user needs to enrol the first MFA device and to see it."""
HARMLESS = (
    "iam:ChangePassword", "iam:GetAccountPasswordPolicy", "iam:GetAccountSummary", "iam:GetLoginProfile",
    "iam:ListUsers",
)  # fmt: skip
"""What may be free beside enrolment: it adds no credential, and the console's pages for enrolment ask for it."""
_TAKEOVER = """
    DeactivateMFADevice DeleteVirtualMFADevice CreateAccessKey CreateLoginProfile UpdateLoginProfile
    CreateServiceSpecificCredential ResetServiceSpecificCredential UploadSSHPublicKey UploadSigningCertificate
""".split()
_CARE = """
    DeleteLoginProfile DeleteAccessKey GetAccessKeyLastUsed ListAccessKeys UpdateAccessKey
    DeleteSSHPublicKey GetSSHPublicKey ListSSHPublicKeys UpdateSSHPublicKey
    DeleteServiceSpecificCredential ListServiceSpecificCredentials UpdateServiceSpecificCredential
    DeleteSigningCertificate ListSigningCertificates UpdateSigningCertificate
""".split()
_CRYPTOGRAPHIC = """
    Encrypt Decrypt Encapsulate Decapsulate ReEncrypt* GenerateDataKey* GenerateMac VerifyMac Sign Verify
    DeriveSharedSecret
""".split()
GIT_KEYS = (
    "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
)  # fmt: skip
"""What CodeCommit asks of KMS for Git (CodeCommit User Guide, "AWS KMS and encryption")."""


def _iam(names: list[str]) -> Actions:
    return actions_named(tuple(f"iam:{name}" for name in names))


@cache
def self_service() -> Actions:
    """Enrolling MFA and caring for one's own credentials, with the lists that the console's pages for it read.

    iam:PassRole is here because no request is made of it alone.
    """
    return actions_named((*ENROLMENT, *HARMLESS)) | _iam([*_TAKEOVER, *_CARE, "PassRole"])


@cache
def takeover() -> Actions:
    """What turns a stolen credential into another one, or takes a user's MFA away."""
    return _iam(_TAKEOVER)


@cache
def care() -> Actions:
    """What changes credentials and takes none over: harmless to one's own, not to other people's."""
    return _iam(_CARE) & ~of_kind(Kind.READ)


@cache
def enrolling() -> Actions:
    """What makes a device a user's MFA device."""
    return _iam(["EnableMFADevice"])


@cache
def git() -> Actions:
    """What Git does."""
    return actions_named(("codecommit:GitPull", "codecommit:GitPush"))


@cache
def repositories() -> Actions:
    """All that CodeCommit does for its callers but Git."""
    return actions_named(("codecommit:*",)) & ~git()


@cache
def cryptographic() -> Actions:
    """What uses a KMS key: its cryptographic operations (KMS Developer Guide, "Cryptographic operations")."""
    return actions_named(tuple(f"kms:{name}" for name in _CRYPTOGRAPHIC))


@cache
def key_administration() -> Actions:
    """What changes a KMS key, its policy, its grants, its aliases or its store."""
    return actions_named(("kms:*",)) & ~cryptographic() & ~of_kind(Kind.READ) & ~actions_named(("kms:GenerateRandom",))


@cache
def on_keys() -> Actions:
    """What is done with a KMS key, not with an alias, a store or KMS as a whole."""
    return union(takers for arn, takers in universe().types["kms"].items() if ":key/" in arn)


@cache
def key_reading() -> Actions:
    """What shows keys, their policies and grants, beyond what Git needs."""
    return actions_named(("kms:*",)) & of_kind(Kind.READ) & ~actions_named(GIT_KEYS) & ~cryptographic()


@cache
def unguarded() -> Actions:
    """All that counts where no policy asks for MFA: everything but self-service and the ways into roles."""
    return everything() & ~self_service() & ~_sessions()


@cache
def _sessions() -> Actions:
    """STS, but for what gives more than the caller has: roles, which have a control of their own, are left out too."""
    return actions_named(("sts:*",)) & ~actions_named(
        ("sts:AssumeRoot", "sts:GetWebIdentityToken", "sts:GetDelegatedAccessToken")
    )


@cache
def beyond_enrolment() -> Actions:
    """What counts where a policy does ask for MFA: without CodeCommit and KMS, which have controls of their own."""
    return unguarded() & ~actions_named(("codecommit:*", "kms:*"))
