"""What moto knows, kept on disk, so that a stopped or killed sandbox goes on where it was.

moto keeps everything in objects of its service backends. Each service's backends are pickled into one file
as soon as a call changed them, before the call is answered. Backends of other services inside are written
as references. The files belong to one version of moto and Python; another one refuses them.
"""

from __future__ import annotations

import copyreg
import io
import logging
import marshal
import pickle
import sys
import threading
import types
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from cryptography.x509 import Certificate, load_der_x509_certificate
from moto import backends
from moto.core.base_backend import BackendDict, BaseBackend

from controlplane.domain.errors import Broken

log = logging.getLogger("sandbox")
FORMAT = {"format": 1, "moto": metadata.version("moto"), "python": sys.version_info[:2]}
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_NEEDED = frozenset({"rds", "secretsmanager", "ssm", "kms"})  # without them nothing makes sense
# Never written: made anew from moto's own data at every start.
_SKIPPED = frozenset({"moto_api", "instance_metadata"})


class StateStore:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unkept: dict[str, str] = {}  # services that cannot be written, and why
        self._written: dict[str, int] = {}

    def save(self, services: Iterable[str] | None = None) -> None:
        """Write these services, or every one that was used; an unchanged one is not written again."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for service in sorted(used_services() if services is None else set(services) & used_services()):
            self._save(service)

    def _save(self, service: str) -> None:
        rows = [
            (account, region, backend.__dict__)
            for account, region, backend in _backends(service).iter_backends()
        ]
        buffer = io.BytesIO()
        try:
            _Pickler(buffer).dump((FORMAT, rows))
        except Exception as error:  # noqa: BLE001 - moto has 190 services; one that cannot be kept is reported
            if service not in self.unkept:
                log.warning("%s will not survive a restart: %s", service, error)
            self.unkept[service] = str(error)
            return
        self.unkept.pop(service, None)
        content = buffer.getvalue()
        if self._written.get(service) == hash(content):
            return
        target = self.folder / f"{service}.pickle"
        fresh = target.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.chmod(0o600)
        fresh.replace(target)
        self._written[service] = hash(content)

    def load(self) -> list[str]:
        """Bring everything back; the services that were."""
        files = sorted(self.folder.glob("*.pickle"))
        for file in files:
            try:
                rows = self._read(file)
            except Broken as error:
                if file.stem in _NEEDED:
                    raise
                log.error("%s", error.message)
                self.unkept[file.stem] = error.message
                continue
            for account, region, content in rows:
                backend = _backends(file.stem)[account][region]
                backend.__dict__.clear()
                backend.__dict__.update(content)
        return [file.stem for file in files if file.stem not in self.unkept]

    @staticmethod
    def _read(file: Path) -> list[tuple[str, str, dict[str, Any]]]:
        hint = "`controlplane sandbox reset` starts over with an empty one"
        try:
            with file.open("rb") as stream:
                found, rows = _Unpickler(stream).load()
        except Exception as error:  # any damage looks different
            raise Broken(f"reading the sandbox's state of {file.stem}: {error}", hint=hint) from error
        if found != FORMAT:
            raise Broken(f"reading the sandbox's state of {file.stem}: it was written by {found}", hint=hint)
        return list(rows)


def used_services() -> set[str]:
    """Services that have a backend by now, under moto's module names."""
    found = {_name(used) for used in BackendDict._instances if any(used.values())}
    return {name for name in found if name not in _SKIPPED}


def _name(used: BackendDict[Any]) -> str:
    """moto's own name of the service: that of the module its backend class comes from."""
    for kind in used.backend.__mro__:
        module = kind.__module__.split(".")
        if module[0] == "moto" and module[1] != "core":
            return str(module[1])
    return str(used.service_name)


def _backends(service: str) -> BackendDict[Any]:
    return backends.get_backend(service)


class _Pickler(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO) -> None:
        super().__init__(buffer, protocol=5)
        self._references = {
            id(backend): (_name(used), account, region)
            for used in BackendDict._instances
            for account, region, backend in used.iter_backends()
        }

    def persistent_id(self, thing: Any) -> Any:
        return self._references.get(id(thing)) if isinstance(thing, BaseBackend) else None

    def reducer_override(self, thing: Any) -> Any:
        """What pickle cannot do by itself: locks and nested functions are made again, keys are exported."""
        for kinds, reduce in _REDUCERS:
            if isinstance(thing, kinds):
                return reduce(thing)
        return NotImplemented


def _reduce_function(function: Any) -> Any:
    return (_function, _parts(function)) if "<" in function.__qualname__ else NotImplemented


def _reduce_defaultdict(thing: Any) -> Any:
    """A subclass with another constructor cannot be called as pickle does: it is filled without one."""
    if type(thing) is defaultdict:
        return NotImplemented
    slots = {"default_factory": thing.default_factory}
    return (copyreg.__newobj__, (type(thing),), (dict(thing.__dict__), slots), None, iter(thing.items()))  # type: ignore[attr-defined]


def _reduce_private_key(key: Any) -> Any:
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return (_private_key, (plain,))


def _private_key(plain: bytes) -> Any:
    return load_der_private_key(plain, None)


def _public_key(plain: bytes) -> Any:
    return load_der_public_key(plain)


def _reduce_certificate(certificate: Any) -> Any:
    return (_certificate, (certificate.public_bytes(Encoding.DER),))


def _certificate(plain: bytes) -> Any:
    return load_der_x509_certificate(plain)


def _reduce_public_key(key: Any) -> Any:
    return (_public_key, (key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),))


_REDUCERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (types.FunctionType, _reduce_function),
    (defaultdict, _reduce_defaultdict),
    (_LOCKS, lambda thing: (_lock, (type(thing).__name__,))),
    (threading.Event, lambda _: (threading.Event, ())),
    (weakref.WeakValueDictionary, lambda thing: (weakref.WeakValueDictionary, (dict(thing),))),
    ((RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey), _reduce_private_key),
    (Certificate, _reduce_certificate),
    ((RSAPublicKey, EllipticCurvePublicKey, Ed25519PublicKey), _reduce_public_key),
)


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, reference: Any) -> Any:
        service, account, region = reference
        return _backends(service)[account][region]


def _lock(name: str) -> Any:
    return threading.RLock() if "RLock" in name else threading.Lock()


def _parts(function: types.FunctionType) -> tuple[Any, ...]:
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    code = marshal.dumps(function.__code__)
    return function.__module__, code, function.__name__, function.__defaults__, cells


def _function(
    module: str, code: bytes, name: str, defaults: Any, cells: tuple[Any, ...]
) -> types.FunctionType:
    return types.FunctionType(
        marshal.loads(code),  # noqa: S302 - our own file, private to this user
        import_module(module).__dict__,
        name,
        defaults,
        tuple(types.CellType(cell) for cell in cells),
    )
