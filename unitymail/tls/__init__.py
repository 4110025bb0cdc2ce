"""TLS of this node: its certificates, how doors use them, and how a first one is made. Refuses to know any protocol."""

from unitymail.tls.fingerprint import public_key_fingerprint
from unitymail.tls.pairs import BadPair, Pair, as_words, look_at_pairs, of_words, read_pairs
from unitymail.tls.self_signed import self_signed
from unitymail.tls.server import InUse, ServerTls

__all__ = [
    "BadPair", "InUse", "Pair", "ServerTls", "as_words", "look_at_pairs", "of_words", "public_key_fingerprint",
    "read_pairs", "self_signed",
]  # fmt: skip
