"""A key for the role that runs: proves it to Datadog by a signed question that only AWS can answer.

The proof is `base64(body)|base64(headers as JSON)|POST|base64(address)` of a GetCallerIdentity whose
signature covers the organisation (datadog-lambda-extension, bottlecap/src/secrets/delegated_auth).
"""

from __future__ import annotations

import base64
import json
import urllib.request

from ddsetup.sandbox.model import Keys

_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


def fetch(url: str, org: str, sts: str, region: str, keys: Keys) -> str:
    """A key for who has these credentials. Raises OSError when Datadog knows no such role.

    `sts` is the address of the emulated AWS, which confirms the signature.
    """
    request = urllib.request.Request(  # noqa: S310 (the stand-in on loopback)
        f"{url}/api/v2/intake-key",
        data=b"",
        headers={"Authorization": f"Delegated {proof(org, sts, region, keys)}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return str(json.load(answer)["data"]["attributes"]["api_key"])


def proof(org: str, sts: str, region: str, keys: Keys) -> str:
    """What shows to Datadog who is asking."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {"Content-Type": _FORM, "x-ddog-org-id": org}
    request = AWSRequest("POST", sts, headers, _BODY)
    credentials = Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token)
    SigV4Auth(credentials, "sts", region).add_auth(request)
    signed = {name: [value] for name, value in request.headers.items()}
    parts = (_BODY, json.dumps(signed))
    body, said = (base64.b64encode(part.encode()).decode() for part in parts)
    return f"{body}|{said}|POST|{base64.b64encode(sts.encode()).decode()}"
