"""What S3 and botocore say, in our words: said once, naming endpoint, never a key."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from botocore import exceptions
from botocore.parsers import ResponseParserError

from crawler.errors import PortalkeepError, StoreRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_IMPLEMENTED = 501
_SERVER_ERROR = 500
_PASSING_STATUS = frozenset({408, 409, 412, 425, 429})
_PASSING = frozenset(
    {
        *("SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"),
        *("RequestLimitExceeded", "RequestTimeout", "RequestTimeTooSkewed"),
        *("OperationAborted", "ExpiredToken", "NoSuchUpload"),
        *("BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"),
    }
)
"""Codes of answers that another try may not get, whatever their status."""
_HINTS = {
    "NoSuchBucket": "make the bucket, or is it misspelt in store.url?",
    "InvalidBucketName": "is it misspelt in store.url?",
    "AccessDenied": "the credentials give no right to this",
    "403": "the credentials give no right to this, or are wrong",
    "InvalidAccessKeyId": "it does not know the access key",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
    "ExpiredToken": "renew the credentials",
    "InvalidToken": "renew the credentials",
    "RequestTimeTooSkewed": "set this machine's clock",
    "PermanentRedirect": "set store.region to the bucket's",
    "301": "set store.region to the bucket's",
    "400": "look at store.region and store.endpoint_url",
    "AuthorizationHeaderMalformed": "set store.region to the bucket's",
    "IllegalLocationConstraintException": "set store.region to the bucket's",
    "InvalidStorageClass": "correct store.storage_class",
    "NotImplemented": "the service cannot do this",
}
# Most specific first: some of these are kinds of others.
_SILENCES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.SSLError, "makes no TLS connection that can be trusted"),
    (exceptions.ConnectTimeoutError, "takes no connection in time"),
    (exceptions.ProxyConnectionError, "cannot be reached through the proxy"),
    (exceptions.ReadTimeoutError, "does not answer in time"),
    (exceptions.ConnectionClosedError, "closed the connection without an answer"),
    (exceptions.ConnectionError, "cannot be reached"),
    (exceptions.HTTPClientError, "broke off the connection"),
    (exceptions.IncompleteReadError, "broke off its answer"),
    (exceptions.FlexibleChecksumError, "sent what its checksum does not fit"),
    (exceptions.ChecksumError, "sent what its checksum does not fit"),
    (ResponseParserError, "sent an answer that is none of S3"),
    (exceptions.CredentialRetrievalError, "was not asked: no credentials came"),
    (exceptions.MetadataRetrievalError, "was not asked: no credentials came"),
    (exceptions.TokenRetrievalError, "was not asked: no credentials came"),
)
"""What may pass."""
_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (
        exceptions.NoCredentialsError,
        "was not asked: no credentials; set AWS_ACCESS_KEY_ID and the like, or a role",
    ),
    (exceptions.PartialCredentialsError, "was not asked: half of the credentials miss"),
)


def code_of(exc: exceptions.ClientError) -> str:
    """Return the code of an answer: S3's own, else the status as text."""
    return str(exc.response.get("Error", {}).get("Code") or status_of(exc))


def status_of(exc: exceptions.ClientError) -> int:
    """Return the HTTP status of an answer, 0 where there was none."""
    return int(exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_passing(exc: exceptions.ClientError) -> bool:
    """Tell whether the same request may succeed later."""
    status = status_of(exc)
    failing = status >= _SERVER_ERROR and status != NOT_IMPLEMENTED
    return failing or status in _PASSING_STATUS or code_of(exc) in _PASSING


@contextlib.contextmanager
def told(what: str, place: str) -> Iterator[None]:
    """Raise what goes wrong inside as errors of ours.

    Args:
        what: the key or prefix that is worked on.
        place: endpoint and bucket.

    Raises:
        StoreUnavailable: it may pass.
        StoreRefused: it will not before somebody acts.
    """
    try:
        yield
    except exceptions.ClientError as exc:
        raise _of_answer(exc, what, place) from exc
    except (exceptions.BotoCoreError, ResponseParserError) as exc:
        raise _of_silence(exc, what, place) from exc
    except OSError as exc:  # the local file, after botocore's own kinds of OSError
        message = f"{what!r} could not be stored: {exc.strerror or exc}"
        raise StoreUnavailable(message) from exc


def _of_answer(exc: exceptions.ClientError, what: str, place: str) -> PortalkeepError:
    code, status = code_of(exc), status_of(exc)
    said = f"{status} {code}" if code != str(status) else code
    hint = f"; {_HINTS[code]}" if code in _HINTS else ""
    message = f"{what!r}: {place} answers {said} to {exc.operation_name}{hint}"
    return StoreUnavailable(message) if is_passing(exc) else StoreRefused(message)


def _of_silence(exc: Exception, what: str, place: str) -> PortalkeepError:
    for kind, words in _SILENCES:
        if isinstance(exc, kind):
            return StoreUnavailable(f"{what!r}: {place} {words}")
    for kind, words in _FAULTS:
        if isinstance(exc, kind):
            return StoreRefused(f"{what!r}: {place} {words}")
    return StoreRefused(f"{what!r}: {place} was not asked: {type(exc).__name__}")
