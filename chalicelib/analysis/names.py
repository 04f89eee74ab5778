"""What a request can be made of: names that no policy knows, real regions, and keys whose value nobody can choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.iam.patterns import compile_source, glob_source, has_wildcard

NOTHING = "mfawatch-example"
"""A name that no policy names."""
WORDS = (NOTHING, "q7", "0-x", "Kd_", "zz9")
"""Names to choose from; the first one that falls into no pattern that denies."""

GIVEN = (
    "aws:multifactorauth", "aws:currenttime", "aws:epochtime", "aws:tokenissuetime",
    "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principalservicename",
    "aws:principaltag/", "aws:principaltype", "aws:userid", "aws:username",
    "aws:assumedroot", "aws:chatbotsourcearn", "aws:ec2instancesource", "aws:federatedprovider",
    "aws:resourceaccount", "aws:sourceaccount", "aws:sourcearn", "aws:sourceidentity", "aws:sourceorg",
    "ec2:sourceinstancearn", "kms:calleraccount", "lambda:sourcefunctionarn",
)  # fmt: skip
"""How keys begin whose value nobody can choose.

The caller is who they are, with the tags they have; the time is what it is; the resources tried are the account's own;
an IAM user's request comes from no role session, no instance profile and no service acting on its own.
"""

REGIONS = {
    "aws": tuple(
        """
        us-east-1 us-east-2 us-west-1 us-west-2 af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2
        ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5
        ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2
        eu-west-1 eu-west-2 eu-west-3 il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1
        """.split()
    ),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-west-1", "us-gov-east-1"),
}
"""Partition → its regions, the one first where its global services are called (AWS General Reference)."""

GLOBAL_SERVICES = frozenset(
    """
    account artifact aws-portal billing budgets ce cloudfront cur globalaccelerator health iam importexport
    networkmanager organizations route53 route53domains shield support tax trustedadvisor waf wellarchitected
    """.split()
)
"""Services that are called in one region, whatever they act on."""


def regions_of(partition: str) -> tuple[str, ...]:
    """The regions of a partition; those of the largest for one that is not known."""
    return REGIONS.get(partition, REGIONS["aws"])


def regions_apart(
    patterns: Sequence[str], partition: str, also: Callable[[str], object] = lambda _: None
) -> tuple[str, ...]:
    """One region for each set of patterns that some region matches, the one that the fewest match first.

    `also` is whatever else tells regions apart.
    """
    compiled = [compile_source(glob_source(pattern)) for pattern in dict.fromkeys(patterns)]
    found: dict[tuple[tuple[bool, ...], object], str] = {}
    # A region that a policy names may be newer than the list.
    literal = [pattern for pattern in dict.fromkeys(patterns) if pattern and not has_wildcard(pattern)]
    for region in dict.fromkeys((*regions_of(partition), *literal)):
        matched = tuple(pattern.fullmatch(region) is not None for pattern in compiled)
        found.setdefault((matched, also(region)), region)
    return tuple(found[signature] for signature in sorted(found, key=lambda signature: sum(signature[0])))
