"""The emulated AWS as it is asked from inside, by what runs in it."""

from __future__ import annotations

import os
import time
import uuid
from typing import Any

from ddsetup.sandbox import aws
from ddsetup.sandbox.model import Keys


def address() -> str:
    """Where this process listens."""
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def client(service: str, region: str, keys: Keys) -> Any:
    """A client with the credentials of whoever asks."""
    return aws.client(service, address(), region, keys)


def session_of(role_arn: str, name: str) -> Keys:
    """Credentials of a session of a role, as a service gets them."""
    from ministack.services import sts

    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    keys = Keys(f"ASIA{uuid.uuid4().hex[:16].upper()}", uuid.uuid4().hex, uuid.uuid4().hex)
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name[:64]}",
        "UserId": f"{role}:{name[:64]}",
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
        "Expiration": time.time() + 3600,
    }
    sts.register_session(keys.access_key_id, session)
    return keys
