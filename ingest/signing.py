"""Signatures that let clients know an answer for ours, whoever carried it.

Ed25519 (RFC 8032) over exact bytes: keys and signatures are small, nothing random is needed to sign, and WebCrypto,
CryptoKit and Android can check it.
"""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED_BYTES = 32
_KEY_ID_BYTES = 8


class Signer:
    """Signs with one key.

    Args:
        seed: 32 random bytes, the private key.

    Raises:
        ValueError: they are not 32.
    """

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(public).decode()
        """What signatures are checked with: the 32 bytes in base64."""
        self.key_id = hashlib.sha256(public).digest()[:_KEY_ID_BYTES].hex()
        """Tells keys apart where there are several: the first 8 bytes of the public key's SHA-256, in hex."""

    def sign(self, message: bytes) -> str:
        """The value of a header that signs exactly these bytes."""
        return f"keyid={self.key_id}; ed25519={base64.b64encode(self._key.sign(message)).decode()}"
