"""mfawatch: finds what AWS IAM users can do without MFA."""
