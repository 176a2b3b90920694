"""A bucket of S3, or of a service that speaks its language, as a store."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from crawler.archive.store import multipart
from crawler.archive.store.bucket import NO_KEY, Answer, Bucket
from crawler.archive.store.content import Content
from crawler.archive.store.contract import ObjectInfo, check_key, is_key
from crawler.archive.store.s3_errors import (
    NOT_IMPLEMENTED,
    code_of,
    status_of,
    told,
)
from crawler.errors import (
    ObjectExists,
    ObjectMissing,
    StoreRefused,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from crawler.config.settings import StoreSettings

ONCE = {"IfNoneMatch": "*"}
PAUSES_S = (0.0, 0.2, 0.4, 0.8)
TRIES = 3
_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_BROKEN = (
    IncompleteReadError,
    ResponseStreamingError,
    ReadTimeoutError,
    FlexibleChecksumError,
)


class S3Store:
    """A bucket as a store.

    Objects carry their SHA-256 as metadata.  By it a put whose answer was lost is told
    from one that met another object, also where the service knows no conditions.
    """

    def __init__(self, settings: StoreSettings) -> None:
        """Make the client; nothing is asked yet.

        Raises:
            ConfigError: the URL is none of a bucket, or no client can be made.
        """
        self._bucket = Bucket(settings)

    @property
    def place(self) -> str:
        """Endpoint, bucket and prefix; no secrets."""
        return self._bucket.place

    def put(self, key: str, source: Path | bytes) -> None:
        """See `Store.put`."""
        check_key(key)
        with told(key, self.place):
            self._send(key, Content.of(source), {})

    def put_if_absent(self, key: str, source: Path | bytes) -> None:
        """See `Store.put_if_absent`."""
        check_key(key)
        with told(key, self.place):
            content = Content.of(source)
            for pause_s in PAUSES_S:
                if self._is_stored(key, content) or self._create(key, content):
                    return
                # Another writer was first, or is still at it and nothing is to be seen.
                time.sleep(pause_s)
        raise StoreUnavailable(f"{key!r}: others are writing it to {self.place}")

    def _is_stored(self, key: str, content: Content) -> bool:
        """Tell whether the object is there.

        Raises:
            ObjectExists: another one is.
        """
        held = self._bucket.holds(key, content)
        if held is False:
            raise ObjectExists(f"another object is stored as {key!r}; it was kept")
        return held is True

    def _create(self, key: str, content: Content) -> bool:
        """Put where nothing is; tell whether nothing was."""
        try:
            self._send(key, content, ONCE if self._bucket.takes_conditions else {})
        except ClientError as exc:
            if status_of(exc) == NOT_IMPLEMENTED and self._bucket.takes_conditions:
                self._bucket.takes_conditions = False
            elif code_of(exc) not in _TAKEN:
                raise
            return False
        return True

    def _send(self, key: str, content: Content, condition: Answer) -> None:
        if content.size <= self._bucket.settings.part_size:
            self._bucket.put(key, content, condition)
            return
        for last in (False, True):
            try:
                multipart.send(self._bucket, key, content, condition)
                return
            except ClientError as exc:
                if code_of(exc) != "NoSuchUpload":
                    raise
                # Completed, and only the answer was lost?  Else it was given up by
                # somebody, and all begins anew.
                if self._bucket.holds(key, content):
                    return
                if last:
                    raise

    def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """See `Store.get`."""
        check_key(key)
        with told(key, self.place):
            if length == 0:
                if self._bucket.head(key) is None:
                    raise _missing(key)
                return b""
            for _ in range(TRIES - 1):
                try:
                    return self._read(key, start, length)
                except _BROKEN:  # botocore tries again only until the body begins
                    continue
            return self._read(key, start, length)

    def _read(self, key: str, start: int, length: int | None) -> bytes:
        wanted = {}
        if start or length is not None:
            end = "" if length is None else start + length - 1
            wanted["Range"] = f"bytes={start}-{end}"
        try:
            answer = self._bucket.ask("get_object", key, **wanted)
        except ClientError as exc:
            if code_of(exc) in {"InvalidRange", "416"}:
                return b""
            if code_of(exc) in NO_KEY:
                raise _missing(key) from None
            raise
        # Not `with body`: that gives the stream below, whose errors are not botocore's.
        with contextlib.closing(answer["Body"]) as body:
            if wanted and "ContentRange" not in answer:
                raise StoreRefused(f"{key!r}: {self.place} gives no ranges of objects")
            content: bytes = body.read()
            return content

    def head(self, key: str) -> ObjectInfo | None:
        """See `Store.head`."""
        check_key(key)
        with told(key, self.place):
            found = self._bucket.head(key)
        return None if found is None else ObjectInfo(key, found["ContentLength"])

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `Store.list`."""
        directory = prefix.rpartition("/")[0]
        if directory and not is_key(directory):
            return
        with told(prefix or "all objects", self.place):
            # Not every service sorts by bytes: some list directory by directory.
            found = sorted(self._objects(prefix), key=lambda one: one.key.encode())
        yield from found

    def _objects(self, prefix: str) -> Iterator[ObjectInfo]:
        full = self._bucket.prefix
        for page in self._bucket.pages("list_objects_v2", Prefix=full + prefix):
            for one in page.get("Contents", ()):
                key = one["Key"].removeprefix(full)
                if key.startswith(prefix) and is_key(key):
                    yield ObjectInfo(key, one["Size"])

    def delete(self, key: str) -> None:
        """See `Store.delete`."""
        check_key(key)
        with told(key, self.place):
            try:
                self._bucket.ask("delete_object", key)
            except ClientError as exc:
                if code_of(exc) not in NO_KEY:
                    raise

    def abort_stale(self, older_than: datetime) -> tuple[str, ...]:
        """See `Store.abort_stale`."""
        with told("uploads", self.place):
            return multipart.abort_stale(self._bucket, older_than)

    def creates_once(self, key: str) -> bool:
        """Tell whether the service itself keeps a second put from replacing the first.

        An object is left under key.

        Raises:
            StoreUnavailable: it could not be seen.
        """
        first, second = Content.of(b"first"), Content.of(b"second")
        with told(key, self.place):
            self._create(key, first)
            try:
                self._bucket.put(key, second, ONCE)
            except ClientError as exc:
                if code_of(exc) in _TAKEN:
                    return True
                if status_of(exc) != NOT_IMPLEMENTED:
                    raise
            self._bucket.takes_conditions = False
            return False


def _missing(key: str) -> ObjectMissing:
    return ObjectMissing(f"the store has no object {key!r}")
