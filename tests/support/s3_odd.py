"""An S3 server with a way of its own, in a process of its own, in memory.

    python -m tests.support.s3_odd WAY [CERTIFICATE KEY]

It prints its port. Ways: `plain`; `frames` keeps a body's aws-chunked frames within the object;
`changes` alters a byte of what it gives back; `host` takes a bucket in the host name alone, and
stands before every host as a proxy. It knows PUT, GET, HEAD and DELETE of objects, `Range` and
`If-None-Match: *`, and lists nothing. No signature is looked at.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BUCKET = "lakes"


@contextmanager
def odd(way: str, certificate: Path | None = None) -> Iterator[str]:
    """Run one; give its address. `certificate`: its file, with its key beside it, for TLS."""
    more = [] if certificate is None else [str(certificate), str(certificate.with_suffix(".key"))]
    command = [sys.executable, "-m", __name__, way, *more]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline())
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        server.communicate()  # its input ends, and so does it


def certify(file: Path) -> Path:
    """Make a certificate for 127.0.0.1, which signs itself, and its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    file.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


class _Odd(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    way: str
    objects: dict[str, bytes]
    lock = threading.Lock()

    def _key(self) -> str | None:
        """Return bucket and key; None where the bucket does not stand where it must."""
        parts = urlsplit(self.path)
        host = parts.hostname or (self.headers.get("Host") or "").partition(":")[0]
        path = unquote(parts.path).lstrip("/")
        if self.way != "host":
            return path
        return f"{BUCKET}/{path}" if host.startswith(f"{BUCKET}.") else None

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        framed = "aws-chunked" in (self.headers.get("Content-Encoding") or "")
        return body if self.way == "frames" or not framed else _unframed(body)

    def do_PUT(self) -> None:
        body, key = self._body(), self._key()
        if key is None:
            self._say(403, _error("SecondLevelDomainForbidden"))
            return
        with self.lock:
            if self.headers.get("If-None-Match") and key in self.objects:
                self._say(412, _error("PreconditionFailed"))
                return
            self.objects[key] = body
        self._say(200, tag=body)

    def do_GET(self) -> None:
        key = self._key()
        if key is None:
            self._say(403, _error("SecondLevelDomainForbidden"))
            return
        held = self.objects.get(key)
        if held is None:
            self._say(404, _error("NoSuchKey"))
            return
        told = held[:-1] + bytes([held[-1] ^ 1]) if self.way == "changes" and held else held
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range") or "")
        if wanted is None:
            self._say(200, told, tag=held)
            return
        last = int(wanted[2]) if wanted[2] and wanted[1] else len(told) - 1
        first = int(wanted[1]) if wanted[1] else len(told) - int(wanted[2])
        piece = told[max(first, 0) : last + 1]
        where = f"bytes {max(first, 0)}-{max(first, 0) + len(piece) - 1}/{len(told)}"
        self._say(206, piece, tag=held, where=where)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.objects.pop(self._key() or "", None)
        self._say(204)

    def _say(
        self, code: int, body: bytes = b"", tag: bytes | None = None, where: str | None = None
    ) -> None:
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Length", str(len(body)))
        if tag is not None:
            self.send_header("ETag", f'"{hashlib.sha256(tag).hexdigest()[:32]}"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        if where is not None:
            self.send_header("Content-Range", where)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def _unframed(body: bytes) -> bytes:
    content, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return content
        content += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


def main(way: str, *pair: str) -> None:
    """Serve until the input ends."""
    _Odd.way, _Odd.objects = way, {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    server.daemon_threads = True
    if pair:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
