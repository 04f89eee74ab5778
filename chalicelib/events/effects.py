"""The events that this tool knows: all that can open, widen or close a way past MFA, and what blinds the auditor. Pure.

One table of data. Each event is known by its service and its name, since services share names: IAM and Identity Center
both have a CreateUser. Parameters are spelled as CloudTrail spells them.
"""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.events.rules import Effect, Finder, Otherwise, Rule

USER = Finder(users=("userName",))
OWNER = Finder(users=("userName",), otherwise=Otherwise.OWNER)
SELF = Finder(otherwise=Otherwise.SELF)
RENAMED_USER = Finder(users=("userName", "newUserName"))
MEMBER = Finder(users=("userName",), groups=("groupName",))
GROUP = Finder(groups=("groupName",))
RENAMED_GROUP = Finder(groups=("groupName", "newGroupName"))
POLICY = Finder(policies=("policyArn",))
NEW_POLICY = Finder(otherwise=Otherwise.NEW_POLICY)
ACCOUNT = Finder()
HOME = Finder(otherwise=Otherwise.HOME)
NOBODY = Finder(otherwise=Otherwise.NOBODY)
SESSION = Finder(otherwise=Otherwise.CALLER_WITHOUT_MFA)
GRANTEE = Finder(otherwise=Otherwise.GRANTEE)
NEW_ACCOUNT = Finder(otherwise=Otherwise.NEW_ACCOUNT)
MEMBER_ACCOUNT = Finder(accounts=("accountId",), otherwise=Otherwise.EVERYWHERE)
TARGET = Finder(accounts=("targetId",), otherwise=Otherwise.EVERYWHERE)
ASSIGNED = Finder(accounts=("targetId",))
DELEGATING = Finder(accounts=("ownerAccountId",))
EVERYWHERE = Finder(otherwise=Otherwise.EVERYWHERE)
WATCHED = Finder(otherwise=Otherwise.WATCHED)

_SESSION = Rule(Effect.SESSION, SESSION, without_mfa=Effect.SESSION_WITHOUT_MFA)

# An MFA device that is created is nobody's until EnableMFADevice names its user. One that is deleted was deactivated
# before, by an event that names its user; but should that one have been lost, this one alone tells that somebody lost a
# device, and not who. Events get lost rarely and devices are deleted rarely: the account is looked at.
_IAM = {
    "CreateVirtualMFADevice": Rule(Effect.DEVICE_MADE, NOBODY),
    "EnableMFADevice": Rule(Effect.DEVICE_GAINED, USER),
    "ResyncMFADevice": Rule(Effect.DEVICE_SYNCHRONISED, USER),
    "DeactivateMFADevice": Rule(Effect.DEVICE_LOST, OWNER),
    "DeleteVirtualMFADevice": Rule(Effect.DEVICE_LOST, ACCOUNT),
    "CreateLoginProfile": Rule(Effect.LOGIN_GAINED, OWNER),
    "UpdateLoginProfile": Rule(Effect.LOGIN_CHANGED, USER),
    "DeleteLoginProfile": Rule(Effect.LOGIN_LOST, OWNER),
    "ChangePassword": Rule(Effect.LOGIN_CHANGED, SELF),
    "UpdateAccountPasswordPolicy": Rule(Effect.LOGIN_RULES, ACCOUNT),
    "DeleteAccountPasswordPolicy": Rule(Effect.LOGIN_RULES, ACCOUNT),
    "CreateAccessKey": Rule(Effect.ACCESS_KEY_GAINED, OWNER),
    "UpdateAccessKey": Rule(Effect.ACCESS_KEY_SWITCHED, OWNER),
    "DeleteAccessKey": Rule(Effect.ACCESS_KEY_LOST, OWNER),
    "UploadSigningCertificate": Rule(Effect.CERTIFICATE_GAINED, OWNER),
    "UpdateSigningCertificate": Rule(Effect.CERTIFICATE_SWITCHED, OWNER),
    "DeleteSigningCertificate": Rule(Effect.CERTIFICATE_LOST, OWNER),
    "UploadSSHPublicKey": Rule(Effect.SSH_KEY_GAINED, USER),
    "UpdateSSHPublicKey": Rule(Effect.SSH_KEY_SWITCHED, USER),
    "DeleteSSHPublicKey": Rule(Effect.SSH_KEY_LOST, USER),
    "CreateServiceSpecificCredential": Rule(Effect.SERVICE_CREDENTIAL_GAINED, USER),
    "UpdateServiceSpecificCredential": Rule(Effect.SERVICE_CREDENTIAL_SWITCHED, OWNER),
    "ResetServiceSpecificCredential": Rule(Effect.SERVICE_CREDENTIAL_RESET, OWNER),
    "DeleteServiceSpecificCredential": Rule(Effect.SERVICE_CREDENTIAL_LOST, OWNER),
    "CreateUser": Rule(Effect.USER_CREATED, USER),
    "UpdateUser": Rule(Effect.USER_RENAMED, RENAMED_USER),
    "TagUser": Rule(Effect.USER_TAGGED, USER),
    "UntagUser": Rule(Effect.USER_TAGGED, USER),
    "DeleteUser": Rule(Effect.USER_DELETED, USER),
    "AddUserToGroup": Rule(Effect.GROUP_JOINED, MEMBER),
    "RemoveUserFromGroup": Rule(Effect.GROUP_LEFT, MEMBER),
    "UpdateGroup": Rule(Effect.GROUP_RENAMED, RENAMED_GROUP),
    "DeleteGroup": Rule(Effect.GROUP_DELETED, GROUP),
    "AttachUserPolicy": Rule(Effect.POLICY_GAINED, USER),
    "DetachUserPolicy": Rule(Effect.POLICY_LOST, USER),
    "PutUserPolicy": Rule(Effect.POLICY_WRITTEN, USER),
    "DeleteUserPolicy": Rule(Effect.POLICY_LOST, USER),
    "AttachGroupPolicy": Rule(Effect.POLICY_GAINED, GROUP),
    "DetachGroupPolicy": Rule(Effect.POLICY_LOST, GROUP),
    "PutGroupPolicy": Rule(Effect.POLICY_WRITTEN, GROUP),
    "DeleteGroupPolicy": Rule(Effect.POLICY_LOST, GROUP),
    "CreatePolicy": Rule(Effect.POLICY_CREATED, NEW_POLICY),
    "CreatePolicyVersion": Rule(Effect.POLICY_CHANGED, POLICY),
    "SetDefaultPolicyVersion": Rule(Effect.POLICY_CHANGED, POLICY),
    "DeletePolicyVersion": Rule(Effect.POLICY_CHANGED, POLICY),
    "DeletePolicy": Rule(Effect.POLICY_DELETED, POLICY),
    "PutUserPermissionsBoundary": Rule(Effect.BOUNDARY_SET, USER),
    "DeleteUserPermissionsBoundary": Rule(Effect.BOUNDARY_LOST, USER),
    "CreateRole": Rule(Effect.ROLE_CREATED, ACCOUNT),
    "AcquireRole": Rule(Effect.ROLE_CREATED, ACCOUNT),
    "UpdateRole": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "TagRole": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "UntagRole": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "AttachRolePolicy": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "DetachRolePolicy": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "PutRolePolicy": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "DeleteRolePolicy": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "PutRolePermissionsBoundary": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "DeleteRolePermissionsBoundary": Rule(Effect.ROLE_CHANGED, ACCOUNT),
    "UpdateAssumeRolePolicy": Rule(Effect.ROLE_TRUST, ACCOUNT),
    "DeleteRole": Rule(Effect.ROLE_DELETED, ACCOUNT),
    "CreateSAMLProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "UpdateSAMLProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "DeleteSAMLProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "CreateOpenIDConnectProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "UpdateOpenIDConnectProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "UpdateOpenIDConnectProviderThumbprint": Rule(Effect.FEDERATION, ACCOUNT),
    "AddClientIDToOpenIDConnectProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "RemoveClientIDFromOpenIDConnectProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "DeleteOpenIDConnectProvider": Rule(Effect.FEDERATION, ACCOUNT),
    "EnableOutboundWebIdentityFederation": Rule(Effect.FEDERATION, ACCOUNT),
    "DisableOutboundWebIdentityFederation": Rule(Effect.FEDERATION, ACCOUNT),
    "CreateDelegationRequest": Rule(Effect.DELEGATION, DELEGATING),
    "AcceptDelegationRequest": Rule(Effect.DELEGATION, ACCOUNT),
    "SendDelegationToken": Rule(Effect.DELEGATION, ACCOUNT),
    "EnableOrganizationsRootSessions": Rule(Effect.ROOT_ACCESS, EVERYWHERE),
    "DisableOrganizationsRootSessions": Rule(Effect.ROOT_ACCESS, EVERYWHERE),
    "EnableOrganizationsRootCredentialsManagement": Rule(Effect.ROOT_ACCESS, EVERYWHERE),
    "DisableOrganizationsRootCredentialsManagement": Rule(Effect.ROOT_ACCESS, EVERYWHERE),
}

_SIGN_IN = {
    "ConsoleLogin": Rule(Effect.SIGN_IN, SESSION, without_mfa=Effect.SIGN_IN_WITHOUT_MFA),
    "PasswordUpdated": Rule(Effect.LOGIN_CHANGED, SELF),
    "PasswordRecoveryRequested": Rule(Effect.LOGIN_FORGOTTEN, SELF),
    "PasswordRecoveryCompleted": Rule(Effect.LOGIN_CHANGED, SELF),
}

_STS = {
    "GetSessionToken": _SESSION,
    "GetFederationToken": _SESSION,
    "AssumeRole": _SESSION,
    "AssumeRoot": _SESSION,
}

_ROLES_ANYWHERE = {
    f"{verb}{noun}": Rule(Effect.FEDERATION, ACCOUNT)
    for noun in ("TrustAnchor", "Profile")
    for verb in ("Create", "Update", "Enable", "Disable", "Delete")
}

# A policy that is deleted is attached nowhere, or AWS refuses; that is seen, and not presumed.
_ORGANISATION = {
    "AttachPolicy": Rule(Effect.ORGANISATION_POLICY, TARGET),
    "DetachPolicy": Rule(Effect.ORGANISATION_POLICY, TARGET),
    "UpdatePolicy": Rule(Effect.ORGANISATION_POLICY, EVERYWHERE),
    "DeletePolicy": Rule(Effect.ORGANISATION_POLICY, EVERYWHERE),
    "EnablePolicyType": Rule(Effect.ORGANISATION_POLICY, EVERYWHERE),
    "DisablePolicyType": Rule(Effect.ORGANISATION_POLICY, EVERYWHERE),
    "EnableAllFeatures": Rule(Effect.ORGANISATION_POLICY, EVERYWHERE),
    "DeleteOrganization": Rule(Effect.ORGANISATION_PLACE, EVERYWHERE),
    "MoveAccount": Rule(Effect.ORGANISATION_PLACE, MEMBER_ACCOUNT),
    "RemoveAccountFromOrganization": Rule(Effect.ORGANISATION_PLACE, MEMBER_ACCOUNT),
    "LeaveOrganization": Rule(Effect.ORGANISATION_PLACE, ACCOUNT),
    "AcceptHandshake": Rule(Effect.ORGANISATION_PLACE, ACCOUNT),
    "CreateAccount": Rule(Effect.ORGANISATION_PLACE, NEW_ACCOUNT),
    "CreateGovCloudAccount": Rule(Effect.ORGANISATION_PLACE, NEW_ACCOUNT),
    "CreateAccountResult": Rule(Effect.ORGANISATION_PLACE, NEW_ACCOUNT),
}

_SSO = {
    "CreateAccountAssignment": Rule(Effect.ASSIGNMENT, ASSIGNED),
    "DeleteAccountAssignment": Rule(Effect.ASSIGNMENT, ASSIGNED),
    "ProvisionPermissionSet": Rule(Effect.PERMISSION_SET, ASSIGNED),
    "UpdatePermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "DeletePermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "AttachManagedPolicyToPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "DetachManagedPolicyFromPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "AttachCustomerManagedPolicyReferenceToPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "DetachCustomerManagedPolicyReferenceFromPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "PutInlinePolicyToPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "DeleteInlinePolicyFromPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "PutPermissionsBoundaryToPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "DeletePermissionsBoundaryFromPermissionSet": Rule(Effect.PERMISSION_SET, ACCOUNT),
    "UpdateSsoConfiguration": Rule(Effect.DIRECTORY_MFA, ACCOUNT),
    "PutMfaDeviceManagementForDirectory": Rule(Effect.DIRECTORY_MFA, ACCOUNT),
}

_SSO_DIRECTORY = {
    "DeleteMfaDeviceForUser": Rule(Effect.DIRECTORY_MFA, ACCOUNT),
    "UpdateMfaDeviceForUser": Rule(Effect.DIRECTORY_MFA, ACCOUNT),
    "CompleteVirtualMfaDeviceRegistration": Rule(Effect.DIRECTORY_MFA, ACCOUNT),
    "CompleteWebAuthnDeviceRegistration": Rule(Effect.DIRECTORY_MFA, ACCOUNT),
    "CreateUser": Rule(Effect.DIRECTORY, ACCOUNT),
    "DeleteUser": Rule(Effect.DIRECTORY, ACCOUNT),
    "AddMemberToGroup": Rule(Effect.DIRECTORY, ACCOUNT),
    "RemoveMemberFromGroup": Rule(Effect.DIRECTORY, ACCOUNT),
}

_IDENTITY_STORE = {
    "CreateUser": Rule(Effect.DIRECTORY, ACCOUNT),
    "DeleteUser": Rule(Effect.DIRECTORY, ACCOUNT),
    "AddMemberToGroup": Rule(Effect.DIRECTORY, ACCOUNT),
    "CreateGroupMembership": Rule(Effect.DIRECTORY, ACCOUNT),
    "DeleteGroupMembership": Rule(Effect.DIRECTORY, ACCOUNT),
}

_KMS = {
    "PutKeyPolicy": Rule(Effect.KEY_POLICY, HOME),
    "CreateGrant": Rule(Effect.KEY_GRANT, GRANTEE),
}

# A policy may name a repository before it is there, and the key that it gets decides whether Git works.
_CODECOMMIT = {
    "CreateRepository": Rule(Effect.REPOSITORY_MADE, HOME),
    "UpdateRepositoryName": Rule(Effect.REPOSITORY_RENAMED, HOME),
    "UpdateRepositoryEncryptionKey": Rule(Effect.REPOSITORY_KEY, HOME),
}

_CLOUDTRAIL = {
    "StopLogging": Rule(Effect.SIGHT_CUT, WATCHED),
    "DeleteTrail": Rule(Effect.SIGHT_CUT, WATCHED),
    "UpdateTrail": Rule(Effect.SIGHT_CHANGED, WATCHED),
    "PutEventSelectors": Rule(Effect.SIGHT_CHANGED, WATCHED),
    "StartLogging": Rule(Effect.SIGHT_RESTORED, WATCHED),
    "CreateTrail": Rule(Effect.SIGHT_RESTORED, WATCHED),
}

_EVENTS = {
    "DisableRule": Rule(Effect.SIGHT_CUT, WATCHED),
    "DeleteRule": Rule(Effect.SIGHT_CUT, WATCHED),
    "RemoveTargets": Rule(Effect.SIGHT_CUT, WATCHED),
    "PutRule": Rule(Effect.SIGHT_CHANGED, WATCHED),
    "EnableRule": Rule(Effect.SIGHT_RESTORED, WATCHED),
    "PutTargets": Rule(Effect.SIGHT_RESTORED, WATCHED),
}

_SERVICES: Mapping[str, Mapping[str, Rule]] = {
    "iam": _IAM,
    "signin": _SIGN_IN,
    "sts": _STS,
    "rolesanywhere": _ROLES_ANYWHERE,
    "organizations": _ORGANISATION,
    "sso": _SSO,
    "sso-directory": _SSO_DIRECTORY,
    "identitystore": _IDENTITY_STORE,
    "kms": _KMS,
    "codecommit": _CODECOMMIT,
    "cloudtrail": _CLOUDTRAIL,
    "events": _EVENTS,
}

EFFECTS: Mapping[tuple[str, str], Rule] = {
    (f"{service}.amazonaws.com", name): rule for service, rules in _SERVICES.items() for name, rule in rules.items()
}
"""Each event by its eventSource and eventName."""

GIT = frozenset({("codecommit.amazonaws.com", "GitPull"), ("codecommit.amazonaws.com", "GitPush")})
"""Operations of Git clients: they change nothing here, and tell who gets past MFA."""

_KNOWN = frozenset(EFFECTS) | GIT


def is_known(source: object, name: object) -> bool:
    """Whether a record of this eventSource and eventName, whatever they are, says anything to this tool."""
    return isinstance(source, str) and isinstance(name, str) and (source, name) in _KNOWN
