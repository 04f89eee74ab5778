"""What holds for every policy and every request, searched for counter-examples."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.iam.cases import decide_case
from chalicelib.iam.decision import Decision, Verdict, evaluate
from chalicelib.iam.documents import JsonError, parse_document
from chalicelib.iam.near_misses import near_misses
from chalicelib.iam.patterns import ActionPatterns, compile_source, glob_source
from chalicelib.iam.policy import parse_policy
from chalicelib.iam.policy_set import Policy, PolicySet
from chalicelib.iam.request import build_request
from chalicelib.iam.statement import Effect, PolicyError, PolicyKind
from tests.cases import load_cases

Case = dict[str, Any]
Json = Any

SEARCH = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
WIDE = settings(SEARCH, max_examples=120)

# --- a small world ---------------------------------------------------------------------------------------------------

ACCOUNT, FOREIGN = "111122223333", "444455556666"
NINA = f"arn:aws:iam::{ACCOUNT}:user/nina"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/run"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deploy"
REPOSITORY = f"arn:aws:codecommit:eu-west-1:{ACCOUNT}:ledger"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/5e1b7c3a"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
MFA, AGE, NAME, VIA, TAGS = (
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:username",
    "kms:ViaService",
    "aws:TagKeys",
)
REQUESTS = [
    ("codecommit:GitPull", REPOSITORY),
    ("codecommit:GitPush", REPOSITORY),
    ("kms:Decrypt", KEY),
    ("kms:ListKeys", "*"),
    ("sqs:SendMessage", QUEUE),
    ("sts:AssumeRole", ROLE),
    ("iam:EnableMFADevice", NINA),
    ("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:books:prod"),
]
ACTIONS = [
    "*", "codecommit:*", "codecommit:GitPull", "codecommit:Git?u*", "kms:*", "kms:De*", "sqs:SendMessage",
    "sts:AssumeRole", "iam:*MFA*", "s3:*",
]  # fmt: skip
RESOURCES = [
    "*", REPOSITORY, "arn:aws:codecommit:*:*:led*", "arn:aws:codecommit:*", "arn:aws:kms:*:*:key/*", KEY, QUEUE, ROLE,
    "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:u*/nina", "arn:aws:*:*:*:*",
    "ARN:aws:codecommit:EU-WEST-1:*:ledger", "arn:aws:lambda:*:function:books:prod",
    "arn:aws:iam::*:user/${aws:PrincipalTag/none,'nina'}",
]  # fmt: skip
PRINCIPALS: list[Json] = [
    "*", {"AWS": NINA}, {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": ACCOUNT}, {"AWS": [f"arn:aws:iam::{FOREIGN}:root"]},
    {"Service": "codecommit.amazonaws.com"},
]  # fmt: skip
CONDITIONS: list[tuple[str, str, Json]] = [
    ("Bool", MFA, "false"),
    ("BoolIfExists", MFA, False),
    ("Bool", MFA, ["true", "${aws:username}"]),
    ("Null", MFA, "true"),
    ("Null", MFA, False),
    ("StringNotEquals", MFA, "true"),
    ("ForAnyValue:StringNotEquals", MFA, "true"),
    ("ForAnyValue:BoolIfExists", MFA, "false"),
    ("NumericLessThan", AGE, 3600),
    ("NumericNotEquals", AGE, "soon"),
    ("NumericGreaterThanIfExists", AGE, "60"),
    ("StringEquals", NAME, "nina"),
    ("StringLike", NAME, ["o*", "${aws:username}"]),
    ("StringNotLike", VIA, "codecommit.*"),
    ("StringEqualsIfExists", VIA, "s3.eu-west-1.amazonaws.com"),
    ("Null", VIA, True),
    ("ForAllValues:StringEquals", TAGS, ["a", "b"]),
    ("ForAnyValue:StringLike", TAGS, "a*"),
    ("StringEquals", TAGS, "a"),
    ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/n*"),
    ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
]
CONTEXT: dict[str, list[Json]] = {
    MFA: ["true", "false", "", "yes"],
    AGE: ["300", "7200", "abc"],
    NAME: ["nina", "otto", ""],
    VIA: ["codecommit.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"],
    TAGS: [[], ["a"], ["a", "c"], [""]],
    "aws:PrincipalArn": [NINA, "nobody"],
    "aws:SourceIp": ["192.0.2.7", "203.0.113.7", "codecommit.amazonaws.com"],
}


def some_of(values: list[Any], most: int = 2) -> st.SearchStrategy[Any]:
    """One value, or a list of some."""
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=most)


@st.composite
def statements(draw: st.DrawFn, kind: PolicyKind = PolicyKind.IDENTITY, effect: str | None = None) -> Json:
    found: Json = {"Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    narrow = kind is PolicyKind.RCP
    found["Action" if narrow or draw(st.integers(0, 3)) else "NotAction"] = draw(
        some_of(ACTIONS[1:] if narrow else ACTIONS)
    )
    found["Resource" if draw(st.integers(0, 3)) else "NotResource"] = draw(some_of(RESOURCES))
    if kind is PolicyKind.RCP:
        found["Principal"] = "*"
    elif kind is PolicyKind.RESOURCE:
        found["Principal" if draw(st.integers(0, 3)) else "NotPrincipal"] = draw(st.sampled_from(PRINCIPALS))
    block: Json = {}
    for operator, key, value in draw(st.lists(st.sampled_from(CONDITIONS), max_size=2)):
        block.setdefault(operator, {})[key] = value
    return found | ({"Condition": block} if block else {})


def documents(kind: PolicyKind = PolicyKind.IDENTITY) -> st.SearchStrategy[Json]:
    return st.builds(
        lambda version, found: {"Version": version, "Statement": found},
        st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]),
        st.lists(statements(kind), min_size=1, max_size=2),
    )


def everything(kind: PolicyKind) -> Json:
    principal = {} if kind is PolicyKind.IDENTITY else {"Principal": "*"}
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"} | principal]}


@st.composite
def levels(draw: st.DrawFn, kind: PolicyKind) -> Json:
    full = everything(PolicyKind.IDENTITY if kind is PolicyKind.SCP else kind)
    return draw(
        st.lists(
            st.lists(documents(kind) | st.just(full), min_size=1, max_size=2),
            max_size=1 if kind is PolicyKind.RCP else 2,
        )
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A request with policies on some of the layers; wide Allows are frequent, so that all verdicts are."""
    action, resource = draw(st.sampled_from(REQUESTS))
    identity = draw(st.lists(documents(), min_size=1, max_size=2))
    if draw(st.booleans()):
        identity.append(everything(PolicyKind.IDENTITY))
    optional = st.none() | documents() | st.just(everything(PolicyKind.IDENTITY))
    keys = draw(st.lists(st.sampled_from(sorted(CONTEXT)), unique=True, max_size=5))
    return {
        "principal": draw(st.sampled_from([NINA, NINA, SESSION, f"arn:aws:iam::{FOREIGN}:user/nina"])),
        "identityPolicies": identity,
        "boundary": draw(optional),
        "scps": draw(levels(PolicyKind.SCP)),
        "rcps": draw(levels(PolicyKind.RCP)),
        "sessionPolicy": draw(optional),
        "resourcePolicy": draw(st.none() | documents(PolicyKind.RESOURCE) | st.just(everything(PolicyKind.RESOURCE))),
        "action": action,
        "resource": resource,
        "context": {key: draw(st.sampled_from(CONTEXT[key])) for key in keys},
    }


WRITTEN = [case for case in load_cases() if case["expected"] != "Error"]
"""The cases written by hand, for which everything here must hold as well."""


def decide(case: Case) -> Decision:
    outcome = decide_case(case)
    assert outcome.detail is not None, outcome.reason
    return outcome.detail


def places(decision: Decision) -> list[tuple[str, str, bool]]:
    """What decided, whatever the order: the layer, what the statement says, whether it is in doubt."""
    return sorted(
        (str(match.layer), json.dumps(match.statement.to_json(), sort_keys=True), match.least)
        for match in decision.matched
    )


def same(one: Decision, other: Decision) -> bool:
    return (one.verdict, one.possible, places(one)) == (other.verdict, other.possible, places(other))


def map_documents(case: Case, change: Callable[[Json], Json]) -> Case:
    """The case with every document in it changed, names of policies left out."""
    result = copy.deepcopy(case)

    def bare(entry: Json) -> Json:
        return change(entry["policy"] if isinstance(entry, dict) and "policy" in entry else entry)

    if "identityPolicies" in result:
        result["identityPolicies"] = [bare(entry) for entry in result["identityPolicies"]]
    for name in ("scps", "rcps"):
        if name in result:
            result[name] = [[bare(entry) for entry in level] for level in result[name]]
    for name in ("boundary", "sessionPolicy", "resourcePolicy"):
        if result.get(name) is not None:
            result[name] = change(result[name])
    return result


def bodies(document: Json) -> list[Json]:
    """The statements of a document."""
    found = (json.loads(document) if isinstance(document, str) else document)["Statement"]
    return list(found) if isinstance(found, list) else [found]


# --- more policies ---------------------------------------------------------------------------------------------------


@st.composite
def added_deny(draw: st.DrawFn, case: Case) -> Case:
    """The case with one more Deny, in a policy of its own or in one that is there."""
    result = copy.deepcopy(case)
    places_to_add: list[Callable[[], None]] = []
    own = {"Version": draw(st.sampled_from(["2012-10-17", "2008-10-17"])), "Statement": draw(statements(effect="Deny"))}
    places_to_add.append(lambda: result.setdefault("identityPolicies", []).append(own))
    for name in ("boundary", "sessionPolicy"):
        if result.get(name):
            document = result[name]
            extra = draw(statements(effect="Deny"))
            places_to_add.append(lambda d=document, e=extra: d.update(Statement=[*bodies(d), e]))  # type: ignore[misc]
    if result.get("resourcePolicy"):
        document, extra = result["resourcePolicy"], draw(statements(PolicyKind.RESOURCE, effect="Deny"))
        places_to_add.append(lambda d=document, e=extra: d.update(Statement=[*bodies(d), e]))  # type: ignore[misc]
    for name, kind in (("scps", PolicyKind.SCP), ("rcps", PolicyKind.RCP)):
        for level in result.get(name) or []:
            extra = {"Version": "2012-10-17", "Statement": draw(statements(kind, effect="Deny"))}
            places_to_add.append(lambda where=level, e=extra: where.append(e))  # type: ignore[misc]
    draw(st.sampled_from(places_to_add))()
    return result


def check_deny_added(before: Decision, after: Decision) -> None:
    assert before.allowed or not after.allowed
    assert before.may_be_allowed or not after.may_be_allowed
    if before.verdict is Verdict.EXPLICITLY_DENIED:
        assert after.verdict is Verdict.EXPLICITLY_DENIED


def check_allow_added(before: Decision, after: Decision) -> None:
    assert after.allowed or not before.allowed
    assert after.may_be_allowed or not before.may_be_allowed
    assert (after.verdict is Verdict.EXPLICITLY_DENIED) is (before.verdict is Verdict.EXPLICITLY_DENIED)


def with_policy(case: Case, statement: Json) -> Case:
    """The case with one more identity policy."""
    own = {"Version": "2012-10-17", "Statement": statement}
    return case | {"identityPolicies": [*case.get("identityPolicies", ()), own]}


@settings(SEARCH, max_examples=35)
@given(st.data())
def test_a_further_deny_never_lets_anything_through(data: st.DataObject) -> None:
    case = data.draw(cases())
    check_deny_added(decide(case), decide(data.draw(added_deny(case))))


@settings(SEARCH, max_examples=35)
@given(cases(), statements(effect="Allow"))
def test_a_further_allow_never_takes_anything_away(case: Case, statement: Json) -> None:
    check_allow_added(decide(case), decide(with_policy(case, statement)))


@settings(SEARCH, max_examples=3)
@given(statements())
def test_a_further_statement_in_every_written_case(statement: Json) -> None:
    check = check_allow_added if statement["Effect"] == "Allow" else check_deny_added
    for case in WRITTEN:
        check(decide(case), decide(with_policy(case, statement)))


def test_a_deny_of_everything_denies_every_written_case() -> None:
    for case in WRITTEN:
        found = decide(with_policy(case, {"Effect": "Deny", "Action": "*", "Resource": "*"}))
        always = found.request.action in {"sts:getcalleridentity", "sts:getsessiontoken"}
        assert found.verdict is (Verdict.ALLOWED if always else Verdict.EXPLICITLY_DENIED), case["id"]
        assert not found.uncertain, case["id"]


# --- what makes no difference ----------------------------------------------------------------------------------------


def mixed(case: Case, source: random.Random) -> Case:
    """The case with its statements, policies and levels in another order."""

    def shuffled(values: list[Any]) -> list[Any]:
        return source.sample(values, len(values))

    def change(document: Json) -> Json:
        return document if isinstance(document, str) else document | {"Statement": shuffled(bodies(document))}

    result = map_documents(case, change)
    if "identityPolicies" in result:
        result["identityPolicies"] = shuffled(result["identityPolicies"])
    for name in ("scps", "rcps"):
        if name in result:
            result[name] = shuffled([shuffled(level) for level in result[name]])
    return result


def recased(case: Case) -> Case:
    """The case with actions and condition keys in the other case."""

    def change(document: Json) -> Json:
        document = copy.deepcopy(document)
        for body in [] if isinstance(document, str) else bodies(document):
            for name in {"Action", "NotAction"} & set(body):
                found = body[name]
                body[name] = [one.swapcase() for one in found] if isinstance(found, list) else found.swapcase()
            for operator, keys in body.get("Condition", {}).items():
                body["Condition"][operator] = {key.swapcase(): value for key, value in keys.items()}
        return document

    result = map_documents(case, change)
    result["action"] = case["action"].swapcase()
    result["context"] = {key.swapcase(): value for key, value in case.get("context", {}).items()}
    return result


KINDS = {
    "identityPolicies": PolicyKind.IDENTITY,
    "boundary": PolicyKind.IDENTITY,
    "scps": PolicyKind.SCP,
    "rcps": PolicyKind.RCP,
    "sessionPolicy": PolicyKind.IDENTITY,
    "resourcePolicy": PolicyKind.RESOURCE,
}


def written_again(case: Case) -> Case:
    """The case with every document parsed and written."""

    def change(kind: PolicyKind) -> Callable[[Json], Json]:
        return lambda document: json.loads(json.dumps(parse_policy(document, kind).to_json()))

    result = dict(case)
    for name, kind in KINDS.items():
        if case.get(name):
            result |= map_documents({name: case[name]}, change(kind))
    return result


@SEARCH
@given(cases(), st.randoms(use_true_random=False))
def test_order_does_not_matter(case: Case, source: random.Random) -> None:
    assert same(decide(case), decide(mixed(case, source)))


@SEARCH
@given(cases())
def test_case_of_actions_and_condition_keys_does_not_matter(case: Case) -> None:
    one, two = decide(case), decide(recased(case))
    assert (one.verdict, one.possible, len(one.matched)) == (two.verdict, two.possible, len(two.matched))


@SEARCH
@given(cases())
def test_a_document_written_and_parsed_again_decides_the_same(case: Case) -> None:
    assert same(decide(case), decide(written_again(case)))


def test_what_makes_no_difference_in_every_written_case() -> None:
    source = random.Random(7)
    for case in WRITTEN:
        found, other = decide(case), decide(recased(case))
        assert same(found, decide(mixed(case, source))), case["id"]
        assert same(found, decide(written_again(case))), case["id"]
        assert (found.verdict, found.possible) == (other.verdict, other.possible), case["id"]


@SEARCH
@given(documents(PolicyKind.RESOURCE))
def test_writing_a_document_twice_gives_the_same(document: Json) -> None:
    once = parse_policy(document, PolicyKind.RESOURCE).to_json()
    assert parse_policy(json.dumps(once), PolicyKind.RESOURCE).to_json() == once


# --- what cannot be known --------------------------------------------------------------------------------------------


def check_readings(found: Decision) -> None:
    assert not found.possible or found.verdict in found.possible
    assert found.uncertain is (len(found.possible) > 1)
    assert bool(found.doubts) is found.uncertain
    assert found.allowed is (found.verdict is Verdict.ALLOWED)
    assert found.may_be_allowed or not found.allowed
    assert found.reason


@settings(SEARCH, max_examples=35)
@given(cases())
def test_the_possible_verdicts_contain_the_one_that_is_taken(case: Case) -> None:
    check_readings(decide(case))


def test_the_possible_verdicts_of_every_written_case() -> None:
    for case in WRITTEN:
        check_readings(decide(case))


@SEARCH
@given(
    st.lists(documents(), min_size=1, max_size=3),
    st.sampled_from(REQUESTS),
    st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in CONTEXT.items()}),
)
def test_a_deny_about_the_action_denies_or_nearly_does(found: list[Json], what: tuple[str, str], context: Json) -> None:
    policies = PolicySet(tuple(Policy(str(index), parse_policy(one)) for index, one in enumerate(found)))
    request = build_request(NINA, *what, context)
    about = {
        (policy.name, statement.index)
        for policy in policies.identity
        for statement in policy.document.about(request.action)
        if statement.effect is Effect.DENY
    }
    decision = evaluate(request, policies)
    denying = decision.verdict is Verdict.EXPLICITLY_DENIED
    hit = {(match.policy.name, match.statement.index) for match in decision.matched if denying}
    missed = {(miss.policy.name, miss.statement.index) for miss in near_misses(request, policies, Effect.DENY)}
    assert not hit & missed
    assert hit | missed == about


# --- malformed input -------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["*", "Allow", "Deny", "2012-10-17", "s3:*", "arn:aws:s3:::b/${aws:username}", "\ud800", "\ufdd0"]
    )
)
names = st.text(max_size=6) | st.sampled_from(
    [
        "Version", "Id", "Statement", "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal",
        "NotPrincipal", "Condition", "AWS", "Bool", "Null", "ForAnyValue:StringLike", MFA,
    ]
)  # fmt: skip
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4) | st.tuples(inner),
    max_leaves=12,
)
kinds = st.sampled_from(PolicyKind)


def check_one_line(error: Exception) -> None:
    assert len(str(error).splitlines()) == 1


def survives(source: object, kind: PolicyKind) -> None:
    """Parsing gives a document that decides, or the documented error: one line that says where."""
    try:
        document = parse_policy(source, kind)
    except PolicyError as error:
        check_one_line(error)
        return
    for action, resource in REQUESTS:
        request = build_request(NINA, action, resource, {MFA: "false", TAGS: ["a", "b"]})
        for statement in document.about(request.action):
            for condition in statement.conditions:
                condition.readings(request.context)
            if statement.resources:
                statement.resources.readings(resource, request.context)
            if statement.principals:
                statement.principals.naming(request.principal)
    parse_policy(document.to_json(), kind)


@WIDE
@given(json_values | st.dictionaries(names, json_values, max_size=4), kinds)
def test_any_json_value_parses_or_is_refused(value: Json, kind: PolicyKind) -> None:
    survives(value, kind)


@WIDE
@given(st.text() | st.text(alphabet='{}[]",:%0123456789ABCDEFabtrue\\ \n\ufeff'), kinds)
def test_any_text_parses_or_is_refused(text: str, kind: PolicyKind) -> None:
    survives(text, kind)


@WIDE
@given(st.text() | st.text(alphabet='{}[]",:%0123456789eE.-tru\\ '))
def test_any_text_is_json_or_a_json_error(text: str) -> None:
    try:
        parse_document(text)
    except JsonError as error:
        check_one_line(error)


@st.composite
def mutated(draw: st.DrawFn, kind: PolicyKind) -> Json:
    """A valid document with one value replaced, dropped, or added somewhere in it."""
    document = draw(documents(kind))
    value: Json = document
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return document
        key = draw(st.sampled_from(keys))
        if isinstance(value[key], dict | list) and draw(st.integers(0, 3)):
            value = value[key]
            continue
        match draw(st.sampled_from(["replace", "drop", "add"])):
            case "replace":
                value[key] = draw(json_values)
            case "drop":
                del value[key]
            case _ if isinstance(value, dict):
                value[draw(names | scalars.filter(lambda one: one == one))] = draw(json_values)
            case _:
                value.append(draw(json_values))
        return document


@WIDE
@given(st.data(), kinds)
def test_a_damaged_document_parses_or_is_refused(data: st.DataObject, kind: PolicyKind) -> None:
    survives(data.draw(mutated(kind)), kind)


@SEARCH
@given(documents(), st.data())
def test_a_damaged_text_parses_or_is_refused(document: Json, data: st.DataObject) -> None:
    text = json.dumps(document)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 9)))
    survives(text[:start] + data.draw(st.text(max_size=3)) + text[end:], PolicyKind.IDENTITY)


@pytest.mark.parametrize("depth", [100, 1_000, 10_000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    inner: Json = "*"
    for _ in range(depth):
        inner = [inner]
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": inner}}
    texts = ["[" * depth, '{"a":' * depth, '{"Statement":' + "[" * depth + "]" * depth + "}", "%5B" * depth]
    for source in (document, inner, {"Statement": inner}, *texts):
        with pytest.raises(PolicyError) as raised:
            parse_policy(source)
        assert len(str(raised.value)) < 200


def test_a_value_within_itself_is_refused() -> None:
    document: Json = {"Version": "2012-10-17"}
    document["Statement"] = [document]
    with pytest.raises(PolicyError):
        parse_policy(document)


@pytest.mark.parametrize("value", [b"{}", {1: 2}, {"Statement"}, object(), iter([]), 1j, {"Statement": b"x"}])
def test_a_value_of_no_json_type_is_refused(value: object) -> None:
    with pytest.raises(PolicyError):
        parse_policy(value)


# --- wildcards -------------------------------------------------------------------------------------------------------


def naive_match(pattern: str, text: str, char: Callable[[str], bool]) -> bool:
    """The meaning of a pattern, written down: try every length for every star."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return naive_match(pattern[1:], text, char) or (
            bool(text) and char(text[0]) and naive_match(pattern, text[1:], char)
        )
    if not text:
        return False
    fits = char(text[0]) if pattern[0] == "?" else pattern[0] == text[0]
    return fits and naive_match(pattern[1:], text[1:], char)


@settings(WIDE, max_examples=600)
@given(st.text("ab:*?", max_size=9), st.text("ab:", max_size=9))
def test_a_pattern_matches_what_it_means(pattern: str, text: str) -> None:
    for source, char in ((".", lambda _: True), ("[^:]", lambda one: one != ":")):
        found = compile_source(glob_source(pattern, source)).fullmatch(text) is not None
        assert found is naive_match(pattern, text, char)


@SEARCH
@given(st.text("a.+()[]{}|^$\\*?\n é", max_size=8), st.text("a.+()[]{}|^$\\\n é", max_size=8))
def test_characters_of_regular_expressions_are_plain(pattern: str, text: str) -> None:
    found = compile_source(glob_source(pattern)).fullmatch(text) is not None
    assert found is naive_match(pattern, text, lambda _: True)


@SEARCH
@given(st.lists(st.text("ab*?", min_size=1, max_size=6), min_size=1, max_size=4), st.text("ab", min_size=1, max_size=6))
def test_action_entries_match_what_their_patterns_mean(patterns: list[str], name: str) -> None:
    """The short cuts for plain names and prefixes change nothing."""
    entries = ActionPatterns([f"S3:{pattern}" for pattern in patterns])
    assert entries.matches(f"s3:{name}") is any(naive_match(pattern, name, lambda _: True) for pattern in patterns)
    assert not entries.matches(f"s4:{name}")


@pytest.mark.parametrize("char", [".", "[^:]"])
@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*a" * 2_000 + "b", "a" * 20_000),
        ("a*" * 2_000 + "b", "a" * 20_000),
        ("*?" * 2_000 + "b", "a" * 20_000),
        ("*ab" * 1_000 + "c", "ab" * 10_000),
        ("*" * 30_000 + "b", "a" * 20_000),
    ],
)
def test_a_pattern_of_many_stars_finishes(pattern: str, text: str, char: str) -> None:
    """Seconds would be enough to hold up an audit; with backtracking it would be years."""
    started = time.process_time()
    assert compile_source(glob_source(pattern, char)).fullmatch(text) is None
    assert time.process_time() - started < 2


def test_a_document_of_many_stars_finishes() -> None:
    name = "*a" * 900 + "b"
    statement = {
        "Effect": "Deny",
        "Action": [f"codecommit:{name}"] * 4,
        "Resource": f"arn:aws:codecommit:*:*:{name}",
        "Condition": {"StringLike": {NAME: name}, "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::*:{name}"}},
    }
    started = time.process_time()
    outcome = decide_case(
        {
            "principal": NINA,
            "action": "codecommit:" + "a" * 5_000,
            "resource": REPOSITORY + "a" * 20_000,
            "identityPolicies": [{"Version": "2012-10-17", "Statement": statement}],
            "context": {NAME: "a" * 20_000, "aws:PrincipalArn": NINA + "a" * 20_000},
        }
    )
    assert outcome.decision == "ImplicitlyDenied"
    assert time.process_time() - started < 5
