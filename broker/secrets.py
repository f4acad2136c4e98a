"""What the broker derives from its key pair. Must not know what a derived secret is for in detail."""

from __future__ import annotations

import hashlib
import hmac

from common.keys import KeyPair


def rules_secret(pair: KeyPair) -> bytes:
    """What the rules name beacons with: the same after every start, and nothing of the key itself."""
    return hmac.digest(pair.secret, b"tertulia: beacons", hashlib.sha256)
