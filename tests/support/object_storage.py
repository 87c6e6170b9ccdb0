"""An S3-compatible server on 127.0.0.1: objects in memory, the requests that copying files needs, no signatures."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "reports"


class Storage:
    """The objects of one bucket by key, their types, and which writes are refused."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.read_only = False
        self.writes_left: int | None = None

    def files(self) -> dict[str, bytes]:
        """The objects that are no marks of empty folders."""
        return {key: content for key, content in self.objects.items() if not key.endswith("/")}

    def may_write(self) -> bool:
        """Whether one more write is allowed."""
        if self.writes_left is not None:
            self.writes_left -= 1
        return not self.read_only and (self.writes_left is None or self.writes_left >= 0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer in one packet: the client's system waits 40 ms for each other one
    storage: Storage

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def log_message(self, *_: object) -> None:
        """Keep the output of tests clean."""

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _request(self) -> tuple[str, str, dict[str, list[str]], bytes]:
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" in (self.headers.get("Content-Encoding") or ""):
            body = _unchunked(body)
        return bucket, key, parse_qs(url.query, keep_blank_values=True), body

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().partition(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def do_HEAD(self) -> None:
        bucket, key, _, _ = self._request()
        found = self.storage.objects.get(key)
        if bucket != BUCKET or (key and found is None):
            self._answer(404)
        else:
            self._answer(200, found or b"", ETag='"x"', Last_Modified="Sat, 28 Nov 2026 12:00:00 GMT")

    def do_GET(self) -> None:
        bucket, key, query, _ = self._request()
        if bucket != BUCKET:
            self._refuse(404, "NoSuchBucket")
        elif not key:
            self._list(query)
        elif key not in self.storage.objects:
            self._refuse(404, "NoSuchKey")
        else:
            content = self.storage.objects[key]
            first, _, last = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")
            part = content[int(first) : int(last) + 1 if last else None]
            self._answer(206 if self.headers.get("Range") else 200, part, ETag='"x"')

    def _list(self, query: dict[str, list[str]]) -> None:
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        most = int(query.get("max-keys", ["1000"])[0])
        keys = [key for key in sorted(self.storage.objects) if key.startswith(prefix)]
        plain, folders = [], set()
        for key in keys:
            rest = key[len(prefix) :]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            else:
                plain.append(key)
        shown = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.storage.objects[key])}</Size>"
            "<LastModified>2026-11-28T12:00:00.000Z</LastModified></Contents>"
            for key in plain[:most]
        )
        shown += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in sorted(folders))
        count = len(plain[:most]) + len(folders)
        self._answer(
            200,
            f"<ListBucketResult><Name>{BUCKET}</Name><KeyCount>{count}</KeyCount><IsTruncated>false</IsTruncated>"
            f"{shown}</ListBucketResult>".encode(),
        )

    def do_PUT(self) -> None:
        bucket, key, query, body = self._request()
        if bucket != BUCKET:
            self._refuse(404, "NoSuchBucket")
        elif not self.storage.may_write():
            self._refuse(403, "AccessDenied")
        elif "uploadId" in query:
            self.storage.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = body
            self._answer(200, ETag=f'"{hashlib.md5(body).hexdigest()}"')
        elif source := self.headers.get("x-amz-copy-source"):
            origin = unquote(source).lstrip("/").partition("/")[2]
            self.storage.objects[key] = self.storage.objects[origin]
            self.storage.types[key] = self.storage.types.get(origin, "")
            self._answer(200, b'<CopyObjectResult><ETag>"x"</ETag></CopyObjectResult>')
        else:
            self.storage.objects[key] = body
            self.storage.types[key] = self.headers.get("Content-Type") or ""
            self._answer(200, ETag='"x"')

    def do_POST(self) -> None:
        bucket, key, query, body = self._request()
        if bucket != BUCKET:
            self._refuse(404, "NoSuchBucket")
        elif not self.storage.may_write():
            self._refuse(403, "AccessDenied")
        elif "uploads" in query:
            number = f"upload-{len(self.storage.uploads)}"
            self.storage.uploads[number] = {}
            self.storage.types[key] = self.headers.get("Content-Type") or ""
            self._answer(
                200,
                f"<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{number}</UploadId></InitiateMultipartUploadResult>".encode(),
            )
        elif "uploadId" in query:
            parts = self.storage.uploads.pop(query["uploadId"][0])
            self.storage.objects[key] = b"".join(parts[number] for number in sorted(parts))
            self._answer(200, b'<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>')
        else:  # several deletions
            text = body.decode()
            for one in text.split("<Key>")[1:]:
                self.storage.objects.pop(one.partition("</Key>")[0], None)
            self._answer(200, b"<DeleteResult></DeleteResult>")

    def do_DELETE(self) -> None:
        _, key, _, _ = self._request()
        if self.storage.may_write():
            self.storage.objects.pop(key, None)
            self._answer(204)
        else:
            self._refuse(403, "AccessDenied")


def _unchunked(body: bytes) -> bytes:
    """The content of a body that is sent in chunks with a checksum after them."""
    content = b""
    while body:
        head, _, body = body.partition(b"\r\n")
        size = int(head.partition(b";")[0] or b"0", 16)
        if not size:
            break
        content, body = content + body[:size], body[size + 2 :]
    return content


@contextmanager
def object_storage() -> Iterator[tuple[Storage, str]]:
    """A server with the bucket `BUCKET`; gives its storage and its address."""
    storage = Storage()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"storage": storage}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield storage, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
