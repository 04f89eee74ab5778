"""The report pages of the accounts in S3: of each run, and the latest once more. Limits: Amazon S3 API reference.

A page is kept compressed, and says so: a browser that gets it from S3 unpacks it.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

TYPE = "text/html; charset=utf-8"
_LATEST = "latest"


@dataclass(frozen=True)
class S3ReportStore:
    """The pages in a bucket, through an S3 client."""

    s3: Any
    bucket: str

    def keep(self, account: str, run: str, page: str) -> None:
        """Keep the page of a run on an account; it is the latest from now on.

        Raises:
            botocore.exceptions.ClientError: S3 refused a call.
        """
        # Without the time of packing, so that the same page is the same object.
        body = gzip.compress(page.encode(), mtime=0)
        for name in (run, _LATEST):
            self.s3.put_object(
                Bucket=self.bucket,
                Key=_key(account, name),
                Body=body,
                ContentType=TYPE,
                ContentEncoding="gzip",
                CacheControl="private, no-cache",
            )

    def latest(self, account: str) -> str | None:
        """The latest page of an account; None where there is none.

        Raises:
            botocore.exceptions.ClientError: S3 refused the call.
        """
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=_key(account, _LATEST))
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise
        return gzip.decompress(answer["Body"].read()).decode()


def _key(account: str, name: str) -> str:
    """Where a page is kept: what an event calls its run may hold anything."""
    return f"reports/{quote(account, safe='')}/{quote(name, safe='')}.html"
