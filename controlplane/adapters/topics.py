"""SNS's signatures: checked with the certificate that SNS itself shows, and subscriptions confirmed there.

The addresses were judged before they come here (https, SNS's own host); nothing is followed from there.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from controlplane.domain.errors import Unauthenticated, Unavailable
from controlplane.domain.rightsizing.topics import TopicMessage

Fetch = Callable[[str], bytes]
_SECONDS = 5.0  # SNS waits 15 for our answer
_LARGEST_BYTES = 65_536
_REMEMBERED = 16
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "1": hashes.SHA1(),  # noqa: S303  SNS's first version has no other
    "2": hashes.SHA256(),
}


def fetch(url: str) -> bytes:
    """A small answer of SNS; a redirect is none."""
    try:
        with httpx.stream("GET", url, timeout=_SECONDS, follow_redirects=False, trust_env=False) as answer:
            if answer.status_code != httpx.codes.OK:
                raise Unavailable(f"asking SNS: HTTP {answer.status_code}")
            content = b""
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > _LARGEST_BYTES:
                    raise Unavailable("asking SNS: its answer is larger than a certificate is")
            return content
    except httpx.HTTPError as error:
        raise Unavailable(f"asking SNS: {type(error).__name__}") from error


class SnsTopics:
    """`TopicSource`. A certificate is asked for once; SNS changes it with its address."""

    def __init__(self, ask: Fetch = fetch, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._ask = ask
        self._now = now
        self._known: OrderedDict[str, x509.Certificate] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, message: TopicMessage) -> None:
        algorithm = _HASHES.get(message.version)
        if algorithm is None:
            raise Unauthenticated("this message has a version of signature that is not known")
        certificate = self._certificate(message.certificate_url)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            raise Unauthenticated("the certificate of this message is not of SNS's kind")
        if not certificate.not_valid_before_utc <= self._now() <= certificate.not_valid_after_utc:
            raise Unauthenticated("the certificate of this message is not valid today")
        try:
            signature = base64.b64decode(message.signature, validate=True)
            key.verify(signature, message.signed.encode(), PKCS1v15(), algorithm)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise Unauthenticated("this message is not signed by SNS") from error

    def confirm(self, message: TopicMessage) -> None:
        self._ask(message.confirm_url)

    def _certificate(self, url: str) -> x509.Certificate:
        with self._lock:
            if url in self._known:
                return self._known[url]
        try:
            found = x509.load_pem_x509_certificate(self._ask(url))
        except ValueError as error:
            raise Unauthenticated("the certificate of this message cannot be read") from error
        with self._lock:
            self._known[url] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found
