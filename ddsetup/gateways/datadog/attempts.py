"""What one attempt of a call came to: an answer to read, or trouble, and whether it may have taken effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ddsetup.gateways.datadog.exchange import Answer, Unbounded
from ddsetup.gateways.datadog.faults import Misread, RateLimited, Rejected, causes, error_texts, fault
from ddsetup.gateways.datadog.shapes import Shape, mismatch, parse_json
from ddsetup.model.account import Json
from ddsetup.model.errors import GatewayError

_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the API. `action` is the permission it needs, `shape` what its answer has to look like."""

    method: str
    path: str
    action: str
    shape: Shape
    query: Mapping[str, str] | None = None
    body: Json = None


class Trouble(Exception):
    """An attempt without an answer to read.

    `pause` is how many seconds to wait before the next one, None where another would end alike; `lost` tells
    that the attempt may have taken effect.
    """

    def __init__(self, error: GatewayError, *, pause: float | None = None, lost: bool = False) -> None:
        super().__init__(error.what)
        self.error = error
        self.pause = pause
        self.lost = lost


def judge(call: Call, answer: Answer, where: str, attempt: int) -> Json:
    """The document of an answer. Raises Trouble when it is a refusal, or no answer to this call."""
    if 300 <= answer.status < 400:
        raise Trouble(_elsewhere(call, answer, where))
    if answer.status >= 400:
        raise _refused(call, answer, where, attempt)
    try:
        document = parse_json(answer.data) if answer.data.strip() else None
    except ValueError as error:
        host = urlsplit(where).netloc.rsplit("@", 1)[-1]
        what = f"what answers at {host} is not Datadog's API ({error})"
        raise Trouble(_misread(what, call, where), lost=True) from None
    wrong = mismatch(document, call.shape)
    if wrong and (texts := error_texts(document)):  # a bad query may be answered with status 200
        said = f"Datadog refused a query: {'; '.join(texts)}"
        raise Trouble(Rejected(said, status=answer.status, action=call.action, where=where))
    if wrong:
        what = f"cannot read Datadog's answer to {call.method} {call.path}: {wrong}"
        raise Trouble(_misread(what, call, where), lost=True)
    return document


def unreachable(error: Exception, where: str, attempt: int) -> Trouble:
    """The trouble when urllib3 raised `error`, or when an answer had no end."""
    from urllib3 import exceptions

    host = urlsplit(where).netloc.rsplit("@", 1)[-1]
    if isinstance(error, Unbounded):
        fix = f"check what answers at {host} (proxy: HTTPS_PROXY)"
        return Trouble(GatewayError(f"Datadog at {host}: {error}", where=where, fix=fix), lost=True)
    chain = list(causes(error))
    untrusted = any("CERTIFICATE" in str(cause).upper() for cause in chain)
    fix = f"check that {host} can be reached from here (proxy: HTTPS_PROXY)"
    if untrusted:
        fix = "the certificate is not trusted here; name your proxy's authority in SSL_CERT_FILE"
    cause = str(chain[-1]).rsplit(">: ", 1)[-1].strip()
    never_sent = (
        exceptions.NewConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.SSLError,
        exceptions.ProxyError,
    )
    return Trouble(
        GatewayError(f"no connection to Datadog at {host}: {cause}", where=where, fix=fix),
        pause=None if untrusted else _backoff(attempt),
        lost=not any(isinstance(one, never_sent) for one in chain),
    )


def number(text: str | None, default: float) -> float:
    """A number of a header; `default` where it is none, or none that could be one."""
    try:
        found = float(text) if text is not None else default
    except ValueError:
        return default
    return found if 0 <= found < 1e12 else default


def _refused(call: Call, answer: Answer, where: str, attempt: int) -> Trouble:
    status, headers = answer.status, answer.headers
    try:
        document = parse_json(answer.data)
    except ValueError:
        document = None
    pause = _backoff(attempt) if status in _TRANSIENT else None
    if status == 429:
        wait = number(headers.get("x-ratelimit-reset"), 60.0)
        name = headers.get("x-ratelimit-name", "")
        what = f"Datadog's rate limit {name} is used up; it resets in {wait:.0f} s".replace("  ", " ")
        pause = max(number(headers.get("x-ratelimit-reset"), _backoff(attempt)), 1.0)
        return Trouble(RateLimited(what, retry_after=wait, where=where), pause=pause)
    if status == 404 and not error_texts(document):
        what = f"{call.method} {call.path} was answered with 404, and not in Datadog's words"
        return Trouble(_misread(what, call, where))
    error = fault(status, document, action=call.action, where=where)
    return Trouble(error, pause=pause, lost=status == 408 or status >= 500)


def _elsewhere(call: Call, answer: Answer, where: str) -> GatewayError:
    """Redirects are not followed. 304 comes from a cache on the way: nothing was asked with a condition."""
    to = urlsplit(answer.headers.get("location", ""))
    host = f" to {to.hostname}" if to.hostname else ""
    what = f"{call.method} {call.path} was answered with {answer.status}, a redirect{host}"
    if answer.status == 304:
        what = f"{call.method} {call.path} was answered with 304, which is no answer"
    return _misread(what, call, where)


def _misread(what: str, call: Call, where: str) -> Misread:
    return Misread(what, action=call.action, where=where, fix="check the address and the proxy")


def _backoff(attempt: int) -> float:
    return 2.0 ** (attempt - 1)
