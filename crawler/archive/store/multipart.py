"""Sending a large object in parts, and going on where an earlier try was cut off.

1. An open upload of the same key is gone on with if all its parts are what the content
   has in their places; what is sent is what is missing.
2. Each part goes with its digest.
3. The object is there when the upload is completed, and not before.

Nothing is kept here: what an upload has is what the service lists.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from crawler.archive.store.content import md5_hex, sha256_base64
from crawler.archive.store.s3_errors import code_of, is_passing, status_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from crawler.archive.store.bucket import Answer, Bucket
    from crawler.archive.store.content import Content

MAX_PARTS = 10_000
PRECONDITION_FAILED = 412


def send(bucket: Bucket, key: str, content: Content, condition: Answer) -> None:
    """Store an object in parts, one at a time; at most one part is in memory.

    Args:
        bucket: where.
        key: ours, without the prefix.
        content: what; it must not change meanwhile.
        condition: parameters of the completing request.

    Raises:
        ClientError: an answer is an error; ``NoSuchUpload`` also where an answer to
            the completing request was lost.  What was sent is kept for the next try.
        BotoCoreError: there is no answer; the same.
        OSError: the source cannot be read.
    """
    size = max(bucket.settings.part_size, -(-content.size // MAX_PARTS))
    found = _resumable(bucket, key, content, size)
    upload = found or _begun(bucket, key, content, size)
    upload.finish(condition)
    if found and bucket.holds(key, content) is False:
        # It was begun for another content with the same first parts: the bytes are
        # right, the digest it was begun with is not.
        _begun(bucket, key, content, size).finish({})


@dataclass(frozen=True, slots=True)
class Upload:
    """An open upload.

    Attributes:
        size: of every part but the last.
        sent: the parts it has, by number, as the completing request names them.
    """

    bucket: Bucket
    key: str
    content: Content
    size: int
    upload_id: str
    sent: dict[int, Answer]

    def finish(self, condition: Answer) -> None:
        """Send the parts that are missing and complete the upload."""
        parts = [
            self.sent.get(number) or self._send(number, start)
            for number, start in enumerate(range(0, self.content.size, self.size), 1)
        ]
        try:
            self.bucket.ask(
                "complete_multipart_upload",
                self.key,
                UploadId=self.upload_id,
                MultipartUpload={"Parts": parts},
                **condition,
            )
        except ClientError as exc:
            if status_of(exc) == PRECONDITION_FAILED:
                self._abort()
            raise

    def _send(self, number: int, start: int) -> Answer:
        body = self.content.part(start, self.size)
        checksum = self.bucket.checksum(body)
        answer = self.bucket.ask(
            "upload_part",
            self.key,
            UploadId=self.upload_id,
            PartNumber=number,
            Body=body,
            **checksum,
        )
        return _completed(number, answer["ETag"], checksum.get("ChecksumSHA256"))

    def _abort(self) -> None:
        """Give up; what stays is what `abort_stale` is for."""
        with contextlib.suppress(ClientError):
            self.bucket.ask("abort_multipart_upload", self.key, UploadId=self.upload_id)


def _begun(bucket: Bucket, key: str, content: Content, size: int) -> Upload:
    parameters = bucket.description(content)
    if bucket.settings.checksums == "auto":
        parameters["ChecksumAlgorithm"] = "SHA256"
    answer = bucket.ask("create_multipart_upload", key, **parameters)
    return Upload(bucket, key, content, size, answer["UploadId"], {})


def _completed(number: int, etag: str, sha256: str | None) -> Answer:
    """Return a part as the completing request names it."""
    named: Answer = {"PartNumber": number, "ETag": etag}
    return named if sha256 is None else {**named, "ChecksumSHA256": sha256}


def _resumable(bucket: Bucket, key: str, content: Content, size: int) -> Upload | None:
    """Return an open upload of this content.

    None where there is none, or the service cannot list what it has.
    """
    try:
        for one in _uploads(bucket, bucket.prefix + key):
            if one["Key"] == bucket.prefix + key:
                sent = _parts(bucket, key, one["UploadId"], content, size)
                if sent:
                    return Upload(bucket, key, content, size, one["UploadId"], sent)
    except ClientError as exc:
        if is_passing(exc) and code_of(exc) != "NoSuchUpload":
            raise
    return None


def _parts(
    bucket: Bucket, key: str, upload: str, content: Content, size: int
) -> dict[int, Answer]:
    """Return an upload's parts by number; none if one is not what content has there."""
    sent: dict[int, Answer] = {}
    pages = bucket.pages("list_parts", Key=bucket.prefix + key, UploadId=upload)
    for page in pages:
        for part in page.get("Parts", ()):
            number = part["PartNumber"]
            body = content.part((number - 1) * size, size)
            if not _is_equal(part, body):
                return {}
            sha256 = bucket.checksum(body).get("ChecksumSHA256")
            sent[number] = _completed(number, part["ETag"], sha256)
    return sent


def _is_equal(part: Answer, body: bytes) -> bool:
    """Tell whether a listed part is body: by its checksum, else by its ETag."""
    if not body or part["Size"] != len(body):
        return False
    if part.get("ChecksumSHA256"):
        return bool(part["ChecksumSHA256"] == sha256_base64(body))
    return bool(part["ETag"].strip('"') == md5_hex(body))


def _uploads(bucket: Bucket, prefix: str) -> Iterator[Answer]:
    """Yield the open uploads of keys that begin with prefix."""
    for page in bucket.pages("list_multipart_uploads", Prefix=prefix):
        yield from page.get("Uploads", ())


def abort_stale(bucket: Bucket, older_than: datetime) -> tuple[str, ...]:
    """Give up uploads begun before a time; return their keys.

    Raises:
        ClientError: an answer is an error; also where the service lists no uploads.
        BotoCoreError: there is no answer.
    """
    stale = [
        (upload["Key"].removeprefix(bucket.prefix), upload["UploadId"])
        for upload in _uploads(bucket, bucket.prefix)
        if upload["Initiated"] < older_than and upload["Key"].startswith(bucket.prefix)
    ]
    for key, upload in stale:
        try:
            bucket.ask("abort_multipart_upload", key, UploadId=upload)
        except ClientError as exc:
            if code_of(exc) != "NoSuchUpload":
                raise
    return tuple(key for key, _ in stale)
