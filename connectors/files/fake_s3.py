"""An S3-compatible store in memory, on loopback: for tests and for trying a mapping out without a cloud.

It speaks what the files connector asks for (listing by pages, whole and partial objects, conditions on the etag) and
checks every signature (AWS Signature Version 4) and its time, as a real store does.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

_SKEW = timedelta(minutes=15)
_STATUS = {
    "AccessDenied": 403,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
    "RequestTimeTooSkewed": 403,
    "AuthorizationHeaderMalformed": 400,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "InvalidRange": 416,
    "PreconditionFailed": 412,
    "MethodNotAllowed": 405,
    "SlowDown": 503,
    "InternalError": 500,
}


class S3Error(Exception):
    """An answer that says no; its code is S3's own."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class FakeS3:
    """A store with one bucket and one access key. Use it as a context manager.

    `page_size` is how many objects one listing names at most, `delay` the seconds before every answer, and `fail` the
    codes of the next answers, `cuts` how many of the next objects break off halfway. `requests` counts those that came.
    """

    def __init__(self, bucket: str, access_key: str, secret_key: str, region: str = "us-east-1") -> None:
        self.bucket, self.access_key, self.region = bucket, access_key, region
        self._secret_key = secret_key
        self.page_size = 1000
        self.delay = 0.0
        self.skew = timedelta()
        self.fail: list[str] = []
        self.forbidden: set[str] = set()
        self.cuts = 0
        self.requests = 0
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __repr__(self) -> str:
        return f"FakeS3({self.endpoint!r}, {self.bucket!r})"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def put(self, name: str, body: bytes) -> None:
        """Store an object, or replace it."""
        self.objects[name] = (body, datetime.now(UTC))

    def now(self) -> datetime:
        """The store's clock."""
        return datetime.now(UTC) + self.skew

    def signature(self, day: str, text: str) -> str:
        """What a request has to be signed with."""
        key = f"AWS4{self._secret_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


def etag(body: bytes) -> str:
    """The etag of an object stored in one piece."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _handler(store: FakeS3) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        held = store

    return Handler


class _Handler(BaseHTTPRequestHandler):
    held: FakeS3
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body at once: in two pieces the second waits for the first to be acknowledged

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._refuse("MethodNotAllowed")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Say nothing."""

    def _answer(self) -> None:
        store = self.held
        store.requests += 1
        time.sleep(store.delay)
        try:
            _fail_if_told(store)
            _check_signature(store, self.command, self.path, self.headers)
            self._serve()
        except S3Error as error:
            self._refuse(error.code)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _serve(self) -> None:
        url = urlsplit(self.path)
        bucket, _, name = unquote(url.path).lstrip("/").partition("/")
        if bucket != self.held.bucket:
            raise S3Error("NoSuchBucket")
        if not name:
            body = _listing(self.held, dict(parse_qsl(url.query, keep_blank_values=True)))
            return self._send(200, body, {"Content-Type": "application/xml"})
        return self._object(name)

    def _object(self, name: str) -> None:
        if name in self.held.forbidden:
            raise S3Error("AccessDenied")
        if name not in self.held.objects:
            raise S3Error("NoSuchKey")
        body, changed = self.held.objects[name]
        wanted = self.headers.get("If-Match")
        if wanted is not None and wanted.strip('"') != etag(body):
            raise S3Error("PreconditionFailed")
        headers = {
            "ETag": f'"{etag(body)}"',
            "Last-Modified": changed.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "Content-Type": "application/octet-stream",
            "Accept-Ranges": "bytes",
        }
        span = _span(self.headers.get("Range"), len(body))
        if span is None:
            return self._send(200, body, headers)
        first, last = span
        headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        return self._send(206, body[first : last + 1], headers)

    def _refuse(self, code: str) -> None:
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message>'
            f"<Resource>{escape(self.path)}</Resource><RequestId>1</RequestId></Error>"
        ).encode()
        self._send(_STATUS.get(code, 400), body, {"Content-Type": "application/xml"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self._cut(body))

    def _cut(self, body: bytes) -> bytes:
        if not self.held.cuts or not body or body.startswith(b"<?xml"):
            return body
        self.held.cuts -= 1
        self.close_connection = True
        return body[: len(body) // 2]


def _fail_if_told(store: FakeS3) -> None:
    if store.fail:
        raise S3Error(store.fail.pop(0))


def _listing(store: FakeS3, query: dict[str, str]) -> bytes:
    if query.get("list-type") != "2":
        raise S3Error("MethodNotAllowed")
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = query.get("continuation-token") or query.get("start-after", "")
    most = min(int(query.get("max-keys", "1000")), store.page_size)
    entries: dict[str, str] = {}
    for name in sorted(store.objects):
        if not name.startswith(prefix):
            continue
        below, mark, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
        folder = prefix + below + mark if mark else ""
        entries.setdefault(folder or name, folder)
    due = [entry for entry in entries if entry > after]
    shown = due[:most]
    truncated = len(due) > len(shown)
    parts = [_entry(store, name, folder=entries[name]) for name in shown]
    more = f"<NextContinuationToken>{escape(shown[-1])}</NextContinuationToken>" if truncated else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{store.bucket}</Name><Prefix>{escape(quote(prefix))}</Prefix><EncodingType>url</EncodingType>"
        f"<KeyCount>{len(shown)}</KeyCount><MaxKeys>{most}</MaxKeys>"
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{more}{''.join(parts)}</ListBucketResult>"
    ).encode()


def _entry(store: FakeS3, name: str, *, folder: str) -> str:
    if folder:
        return f"<CommonPrefixes><Prefix>{escape(quote(folder))}</Prefix></CommonPrefixes>"
    body, changed = store.objects[name]
    return (
        f"<Contents><Key>{escape(quote(name))}</Key><LastModified>{changed:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
        f'<ETag>"{etag(body)}"</ETag><Size>{len(body)}</Size><StorageClass>STANDARD</StorageClass></Contents>'
    )


def _span(text: str | None, size: int) -> tuple[int, int] | None:
    if text is None or not text.startswith("bytes="):
        return None
    first, _, last = text.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        raise S3Error("InvalidRange")
    return start, end


def _check_signature(store: FakeS3, method: str, path: str, headers: Any) -> None:
    """Raises S3Error unless the request is signed with the store's key, just now."""
    given = str(headers.get("Authorization", ""))
    scheme, _, rest = given.partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    parts = {name: value for name, _, value in pairs}
    if scheme != "AWS4-HMAC-SHA256" or {"Credential", "SignedHeaders", "Signature"} - parts.keys():
        raise S3Error("AccessDenied")
    user, day, region, *_ = [*parts["Credential"].split("/"), "", "", ""]
    if user != store.access_key:
        raise S3Error("InvalidAccessKeyId")
    if region != store.region:
        raise S3Error("AuthorizationHeaderMalformed")
    stamp = str(headers.get("x-amz-date", ""))
    _check_time(store, stamp)
    scope = f"{day}/{region}/s3/aws4_request"
    canonical = _canonical(method, path, headers, parts["SignedHeaders"])
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    if not hmac.compare_digest(store.signature(day, text), parts["Signature"]) or not stamp.startswith(day):
        raise S3Error("SignatureDoesNotMatch")


def _check_time(store: FakeS3, stamp: str) -> None:
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise S3Error("AccessDenied") from None
    if abs(store.now() - at) > _SKEW:
        raise S3Error("RequestTimeTooSkewed")


def _canonical(method: str, path: str, headers: Any, signed: str) -> str:
    url = urlsplit(path)
    pairs = sorted(
        (quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in parse_qsl(url.query, keep_blank_values=True)
    )
    query = "&".join(f"{name}={value}" for name, value in pairs)
    named = "".join(f"{name}:{' '.join(str(headers.get(name, '')).split())}\n" for name in signed.split(";"))
    resource = quote(unquote(url.path), safe="/-_.~")
    return "\n".join((method, resource, query, named, signed, str(headers.get("x-amz-content-sha256", ""))))
