"""Report pages in S3: as they came, compressed, and the latest once more."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.report_store import S3ReportStore

BUCKET, ACCOUNT = "pages", "111122223333"
PAGE = "<!doctype html><title>Zoë 山田 </title>"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


def test_a_page_is_kept_and_is_the_latest(s3: Any) -> None:
    store = S3ReportStore(s3, BUCKET)
    assert store.latest(ACCOUNT) is None
    store.keep(ACCOUNT, "one", "before")
    store.keep(ACCOUNT, "two", PAGE)
    assert store.latest(ACCOUNT) == PAGE
    assert store.latest("444455556666") is None
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == [f"reports/{ACCOUNT}/{name}.html" for name in ("latest", "one", "two")]
    found = s3.get_object(Bucket=BUCKET, Key=f"reports/{ACCOUNT}/two.html")
    assert (found["ContentType"], found["ContentEncoding"]) == ("text/html; charset=utf-8", "gzip")
    assert gzip.decompress(found["Body"].read()).decode() == PAGE


def test_the_same_page_is_the_same_object(s3: Any) -> None:
    for run in ("one", "two"):
        S3ReportStore(s3, BUCKET).keep(ACCOUNT, run, PAGE)
    one, two = (s3.head_object(Bucket=BUCKET, Key=f"reports/{ACCOUNT}/{run}.html")["ETag"] for run in ("one", "two"))
    assert one == two


@pytest.mark.parametrize("run", ["../../other", "a/b", "events:2026-06-01T06:00", "\u202eé\n", ".."])
def test_a_run_is_kept_with_its_account_whatever_it_is_called(s3: Any, run: str) -> None:
    S3ReportStore(s3, BUCKET).keep(ACCOUNT, run, PAGE)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert len(keys) == 2
    assert all(key.count("/") == 2 and key.startswith(f"reports/{ACCOUNT}/") and key.isascii() for key in keys)


def test_a_bucket_that_is_not_there_is_not_an_account_without_pages(s3: Any) -> None:
    with pytest.raises(ClientError):
        S3ReportStore(s3, "elsewhere").latest(ACCOUNT)
