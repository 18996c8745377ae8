"""A certificate authority of one's own and a broker's certificate for 127.0.0.1, made with the `openssl` command."""

import shutil
import subprocess
from pathlib import Path

from deploy.kafka.jars import KafkaMissing

_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


class Certificates:
    """`authority` is what a client trusts; `broker` holds the broker's private key and chain, as Kafka reads PEM."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self.broker = folder / "broker.pem"
        if not self.broker.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._make(folder)

    def _make(self, folder: Path) -> None:
        authority_key, key, certificate = folder / "authority.key", folder / "broker.key", folder / "broker.crt"
        named = ["-subj", "/CN=Petla test authority"]
        _openssl("req", "-x509", *_NEW_KEY, *named, "-keyout", authority_key, "-out", self.authority)
        signed = ["-CA", str(self.authority), "-CAkey", str(authority_key)]
        named = ["-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]
        _openssl("req", "-x509", *_NEW_KEY, *named, *signed, "-keyout", key, "-out", certificate)
        self.broker.write_text(key.read_text() + certificate.read_text())


def _openssl(*arguments: str | Path) -> None:
    found = shutil.which("openssl")
    if found is None:
        raise KafkaMissing("TLS on a local broker needs the command 'openssl': install it.")
    done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KafkaMissing(f"openssl could not make the certificates: {done.stderr.strip().splitlines()[-1]}")
