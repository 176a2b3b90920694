"""One bucket of an S3 service: the client, and what every request to it carries."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from crawler.archive.store.content import md5_base64, sha256_base64
from crawler.archive.store.s3_errors import code_of
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crawler.archive.store.content import Content
    from crawler.config.settings import StoreSettings

Answer: TypeAlias = dict[str, Any]
"""What botocore makes of a response; Any: it builds its clients when it runs."""

SHA256 = "sha256"
"""Our metadata of every object: the SHA-256 of all of it, hexadecimal."""
ATTEMPTS = 3
CONNECTIONS = 16
CHUNK_BYTES = 1 << 20
NO_KEY = frozenset({"NoSuchKey", "NotFound", "404"})
_URL = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._:-]+)((?:/[^/.][^/]*)*)/?")
_USER_PART = re.compile(r"//[^/@]*@")


class Bucket:
    """A bucket and the prefix below which our keys begin.  Safe for many threads.

    Attributes:
        name: of the bucket.
        prefix: what stands before every key; "" or ending in a slash.
        endpoint: the URL that is asked, without any credential.
        settings: the store's.
        takes_conditions: whether the service knows ``If-None-Match`` on a put, as far
            as it has said.
    """

    def __init__(self, settings: StoreSettings) -> None:
        """Make the client; nothing is asked yet.

        Raises:
            ConfigError: the URL is none of a bucket, or no client can be made.
        """
        match = _URL.fullmatch(settings.url)
        if match is None:
            raise ConfigError(
                "store.url is no s3://bucket/prefix; credentials do not stand in it"
            )
        self.name, self.prefix = match[1], match[2].lstrip("/")
        self.prefix += "/" if self.prefix else ""
        self.settings = settings
        self.takes_conditions = True
        # Any: see Answer.
        self._client: Any = _client(settings)
        self.endpoint = _USER_PART.sub("//", str(self._client.meta.endpoint_url))

    @property
    def place(self) -> str:
        """What errors call it: endpoint, bucket and prefix."""
        return f"{self.endpoint}/{self.name}/{self.prefix}".rstrip("/")

    def ask(self, operation: str, key: str, **parameters: object) -> Answer:
        """Ask one thing of one of our keys.

        Raises:
            ClientError: the answer is an error.
            BotoCoreError: there is no answer.
        """
        full = self.prefix + key
        answer: Answer = getattr(self._client, operation)(
            Bucket=self.name, Key=full, **parameters
        )
        return answer

    def pages(self, operation: str, **parameters: object) -> Iterator[Answer]:
        """Ask for a listing, page by page.

        Raises:
            ClientError: an answer is an error.
            BotoCoreError: there is no answer.
        """
        paginator = self._client.get_paginator(operation)
        yield from paginator.paginate(Bucket=self.name, **parameters)

    def description(self, content: Content) -> Answer:
        """Return the parameters that say of an object what it is and how it is kept."""
        settings = self.settings
        parameters = {
            "Metadata": {SHA256: content.sha256},
            "ServerSideEncryption": settings.sse,
            "SSEKMSKeyId": settings.kms_key,
            "StorageClass": settings.storage_class,
        }
        return {key: value for key, value in parameters.items() if value is not None}

    def checksum(self, body: bytes) -> dict[str, str]:
        """Return the parameter by which the service sees that a body came whole.

        A digest of our own, sent as a header: so botocore adds none as a trailer, the
        framing of which some services store inside the object.
        """
        if self.settings.checksums == "auto":
            return {"ChecksumSHA256": sha256_base64(body)}
        return {"ContentMD5": md5_base64(body)}

    def head(self, key: str) -> Answer | None:
        """Return what the service says of an object, None where there is none.

        Raises:
            ClientError: the answer is another error.
            BotoCoreError: there is no answer.
        """
        try:
            return self.ask("head_object", key)
        except ClientError as exc:
            if code_of(exc) not in NO_KEY:
                raise
            return None

    def holds(self, key: str, content: Content) -> bool | None:
        """Tell whether the object under a key is this content, None if there is none.

        An object without our metadata, as other tools copy it, is read and digested.
        """
        found = self.head(key)
        if found is None or found["ContentLength"] != content.size:
            return None if found is None else False
        said = found.get("Metadata", {}).get(SHA256) or self._digested(key)
        return bool(said == content.sha256)

    def _digested(self, key: str) -> str:
        digest = hashlib.sha256()
        body = self.ask("get_object", key)["Body"]
        try:
            for chunk in body.iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
        finally:
            body.close()
        return digest.hexdigest()

    def put(self, key: str, content: Content, condition: Answer) -> None:
        """Store a small object by one request.

        Raises:
            ClientError: the answer is an error, also where a condition fails.
            BotoCoreError: there is no answer.
            OSError: the source cannot be read.
        """
        body = content.part(0, content.size)
        self.ask(
            "put_object",
            key,
            Body=body,
            **self.checksum(body),
            **self.description(content),
            **condition,
        )


def _client(settings: StoreSettings) -> Any:  # noqa: ANN401 - see Answer
    """Make a client with a session of its own, which threads may share.

    Raises:
        ConfigError: botocore cannot make one of this.
    """
    # Bodies carry a digest of ours already.  Answers of AWS are checked; other
    # services send digests that are not of what was asked for.
    is_checked = settings.checksums == "auto" and settings.endpoint_url is None
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        s3={"addressing_style": settings.addressing_style},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_supported"
        if is_checked
        else "when_required",
    )
    try:
        return boto3.session.Session().client(
            "s3",
            endpoint_url=settings.endpoint_url,
            region_name=settings.region,
            config=config,
        )
    except (BotoCoreError, ValueError) as exc:
        raise ConfigError(f"store: no client can be made: {exc}") from exc
