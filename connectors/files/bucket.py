"""Files in an S3-compatible store, read by the minio client. Nothing is ever written there."""

from __future__ import annotations

import ipaddress
import os
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError
from urllib3.exceptions import TimeoutError as HttpTimeoutError

from connectors.errors import (
    ConnectorError,
    SkippableSourceError,
    SourceAccessDeniedError,
    SourceAuthFailedError,
    SourceBusyError,
    SourceProtocolError,
    SourceSettingsError,
    SourceTimeoutError,
    SourceUnreachableError,
)
from connectors.files.storage import MOST_FILES, Stored, is_wild, matches, steps

_IN_MEMORY = 4 * 1024 * 1024
_AT_ONCE = 1024 * 1024
_MOST_LISTED = 100_000
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")
_CODES: dict[str, tuple[type[ConnectorError], str]] = {
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "InvalidSecurity"),
        (SourceAuthFailedError, "the access key or the secret key is not accepted"),
    ),
    "RequestTimeTooSkewed": (SourceAuthFailedError, "this machine's clock and the store's differ too much; set it"),
    "AccessDenied": (SourceAccessDeniedError, "this access key may not read it"),
    "AllAccessDisabled": (SourceAuthFailedError, "the store allows no access at all"),
    "NoSuchBucket": (SourceSettingsError, "there is no such bucket"),
    "InvalidBucketName": (SourceSettingsError, "this is no name of a bucket"),
    **dict.fromkeys(
        ("AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "Redirect"),
        (SourceSettingsError, "the bucket is in another region; set `region` or `endpoint`"),
    ),
    **dict.fromkeys(("NoSuchKey", "NoSuchVersion"), (SkippableSourceError, "the file is gone")),
    "PreconditionFailed": (SourceBusyError, "the file was replaced while it was read; it is read at the next sync"),
    **dict.fromkeys(
        ("SlowDown", "ServiceUnavailable", "TooManyRequests", "RequestLimitExceeded", "Busy"),
        (SourceBusyError, "the store is too busy"),
    ),
    **dict.fromkeys(("InternalError", "XMinioServerNotInitialized"), (SourceUnreachableError, "the store failed")),
    "RequestTimeout": (SourceTimeoutError, "the store did not answer in time"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketSettings:
    """Where a bucket is. `endpoint` is an address such as "https://minio.example.com:9000", "" for AWS's own of the
    region; without a scheme it is https. No access key: the bucket is read as anybody may."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    tries: int = 3


class Bucket:
    """The objects below a prefix of a bucket. An object is copied to a temporary file before it is read."""

    def __init__(self, settings: BucketSettings) -> None:
        host, secure = endpoint(settings.endpoint, settings.region)
        if not _BUCKET.fullmatch(settings.bucket) or ".." in settings.bucket:
            raise SourceSettingsError(f"the bucket {settings.bucket!r} can't be used: this is no name of a bucket")
        if bool(settings.access_key) != bool(settings.secret_key):
            raise SourceSettingsError(
                "'access_key' and 'secret_key' go together; give both, or none for a public bucket"
            )
        self._settings = settings
        self._prefix = f"{settings.prefix.strip('/')}/" if settings.prefix.strip("/") else ""
        self.where = f"s3://{settings.bucket}/{self._prefix}".rstrip("/")
        self._pool = _pool(settings)
        self._client = _client(settings, host, self._pool, secure=secure)

    def __repr__(self) -> str:
        return f"Bucket({self.where!r})"

    def describe(self) -> str:
        return "S3"

    def close(self) -> None:
        self._pool.clear()

    def find(self, pattern: str) -> tuple[Stored, ...]:
        parts = steps(pattern)
        fixed = parts[0 : next((n for n, part in enumerate(parts) if is_wild(part)), len(parts))]
        start = pattern if len(fixed) == len(parts) else "".join(f"{part}/" for part in fixed)
        start += "" if len(fixed) == len(parts) else re.split(r"[*?\[]", parts[len(fixed)])[0]
        found: list[Stored] = []
        try:
            # Below one folder only its own objects are listed, so that an archive beside them costs nothing.
            deep = len(parts) - len(fixed) > 1
            listed = self._client.list_objects(self._settings.bucket, prefix=self._prefix + start, recursive=deep)
            for count, held in enumerate(listed):
                if count >= _MOST_LISTED or len(found) > MOST_FILES:
                    raise SourceSettingsError(f"{pattern!r} goes over too many objects in {self.where!r}")
                name = (held.object_name or "").removeprefix(self._prefix)
                if not held.is_dir and matches(name, parts):
                    found.append(_stored(name, held))
        except (MinioException, HTTPError, ValueError) as error:
            raise self._typed(self.where, error, listing=True) from None
        return tuple(sorted(found, key=lambda stored: stored.name))

    @contextmanager
    def open(self, stored: Stored) -> Generator[BinaryIO]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
            file = cast("BinaryIO", copy)
            self._fetch(stored, file)
            file.seek(0)
            yield file

    def _fetch(self, stored: Stored, copy: BinaryIO) -> None:
        for turn in range(1, self._settings.tries + 1):
            copy.seek(0)
            copy.truncate()
            try:
                return self._fetch_once(stored, copy)
            except (MinioException, HTTPError, ValueError) as error:
                found = self._typed(stored.name, error)
                if turn == self._settings.tries or not isinstance(found, SourceUnreachableError):
                    raise found from None
        raise AssertionError(self._settings.tries)

    def _fetch_once(self, stored: Stored, copy: BinaryIO) -> None:
        response = self._client.get_object(
            self._settings.bucket, self._prefix + stored.name, request_headers={"If-Match": f'"{stored.token}"'}
        )
        try:
            given = (response.headers.get("etag") or "").strip('"')
            if given and given != stored.token:
                raise SourceBusyError(f"{stored.name!r} was replaced while it was read; it is read at the next sync")
            size = 0
            for chunk in response.stream(_AT_ONCE, decode_content=False):
                size += len(chunk)
                if size > stored.size:
                    break
                copy.write(chunk)
            if size != stored.size:
                raise SourceBusyError(
                    f"{stored.name!r} is not the size it was listed with; it is read at the next sync"
                )
        finally:
            response.close()
            response.release_conn()

    def _typed(self, what: str, error: Exception, *, listing: bool = False) -> ConnectorError:
        host = self._settings.endpoint or "AWS"
        match error:
            case S3Error():
                kind, told = _CODES.get(str(error.code), (SourceProtocolError, "the store answered something else"))
                if listing and kind is SourceAccessDeniedError:
                    kind, told = SourceAuthFailedError, "this access key may not list it"
                return kind(f"{what!r}: {told} ({str(error.code)[:40]})")
            case ServerError() if error.status_code >= 500:
                return SourceUnreachableError(f"{what!r}: {host} failed (HTTP {error.status_code})")
            case InvalidResponseError():
                return _stranger(what, host, str(error))
            case _:
                return _transport(what, host, error)


def endpoint(text: str, region: str) -> tuple[str, bool]:
    """(host and port, whether by TLS) of an endpoint. Raises SourceSettingsError.

    http has to be written out, unless it is this machine's own address.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        raise SourceSettingsError(f"the region {region!r} can't be used; give one such as 'eu-central-1'")
    given = text.strip()
    if not given:
        return f"s3.{region}.amazonaws.com", True
    try:
        url = urlsplit(given if "://" in given else f"//{given}")
        host, port = url.hostname, url.port
    except ValueError:
        host, port, url = None, None, urlsplit("")
    bare = url.path in {"", "/"} and not url.query and not url.fragment and "@" not in url.netloc
    if not host or url.scheme not in {"", "http", "https"} or not bare:
        # It may hold a password, so it is not repeated.
        raise SourceSettingsError(
            "the endpoint can't be used; give one like 'https://minio.example.com:9000', without name, password or path"
        )
    secure = url.scheme == "https" or (not url.scheme and not _loopback(host))
    named = f"[{host}]" if ":" in host else host
    return (f"{named}:{port}" if port else named), secure


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pool(settings: BucketSettings) -> urllib3.PoolManager:
    # A redirect is refused: what is signed for one host is for no other. A Retry-After would be obeyed however long.
    patience = urllib3.Retry(
        total=settings.tries - 1,
        redirect=False,
        backoff_factor=0.2,
        backoff_max=5,
        status_forcelist=(500, 502, 503, 504),
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=settings.connect_timeout, read=settings.read_timeout),
        retries=patience,
        maxsize=4,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
    )


def _client(settings: BucketSettings, host: str, pool: urllib3.PoolManager, *, secure: bool) -> Minio:
    try:
        client = Minio(
            host,
            access_key=settings.access_key or None,
            secret_key=settings.secret_key or None,
            secure=secure,
            region=settings.region,
            http_client=pool,
        )
    except ValueError as error:
        raise SourceSettingsError(f"the endpoint {host!r} can't be used: {error}") from None
    client.disable_virtual_style_endpoint()
    return client


def _stored(name: str, held: Any) -> Stored:
    token = str(held.etag or "").strip('"')
    return Stored(name=name, size=int(held.size or 0), version=f"{token}-{held.size}", token=token)


def _stranger(what: str, host: str, text: str) -> ConnectorError:
    code = re.search(r"Response code: (\d{3})", text)
    status = int(code[1]) if code else 0
    if status == 412:
        return SourceBusyError(f"{what!r} was replaced while it was read; it is read at the next sync")
    if status == 429 or status >= 500:
        return SourceBusyError(f"{what!r}: {host} is too busy (HTTP {status})")
    return SourceProtocolError(f"{what!r}: {host} does not answer like an S3 store (HTTP {status})")


def _transport(what: str, host: str, error: Exception) -> ConnectorError:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, HttpTimeoutError):
        return SourceTimeoutError(f"{what!r}: {host} did not answer in time ({type(reason).__name__})")
    if isinstance(reason, SSLError):
        return SourceUnreachableError(f"{what!r}: {host} has no certificate that can be trusted, or no TLS")
    if isinstance(reason, HTTPError):
        return SourceUnreachableError(f"{what!r}: {host} could not be reached ({type(reason).__name__})")
    return SourceProtocolError(f"{what!r}: {host} does not answer like an S3 store ({type(error).__name__})")
