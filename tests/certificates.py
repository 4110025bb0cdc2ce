"""Certificates for tests: of any key, for any time, written where programs look for them."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


def new_key(kind="ec", bits=2_048):
    if kind == "rsa":
        return rsa.generate_private_key(65_537, bits)
    return ec.generate_private_key(ec.SECP256R1())


def certificate(key, name="node.example", *others, begins=-DAY, ends=30 * DAY, bare=False):
    """A self-signed one as PEM. With `ends=-DAY` it has expired; a `bare` one is for nobody in particular."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )
    if not bare:
        names = [x509.DNSName(each) for each in (name, *others)]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = made.sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def expired(key, name="node.example"):
    return certificate(key, name, begins=-400 * DAY, ends=-DAY)


def pem_of(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_pair(folder, name, octets, key):
    """(certificate file, key file) as text, in `folder`."""
    paths = folder / f"{name}.cert.pem", folder / f"{name}.key.pem"
    paths[0].write_bytes(octets)
    paths[1].write_bytes(pem_of(key))
    return tuple(map(str, paths))
