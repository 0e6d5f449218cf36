"""Posts to Datadog's intakes."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib

from sandbox_forwarder.settings import VERSION

_LOGS_PER_REQUEST = 400
_SECONDS = 10


class Intake:
    """The three intakes of one Datadog site, with one API key."""

    def __init__(self, settings, key):
        self._settings = settings
        self._key = key

    def check_key(self):
        """Raise when Datadog does not know the key, with the official Forwarder's words."""
        query = urllib.parse.urlencode({"api_key": self._key})
        url = f"{self._settings.api_url}/api/v1/validate?{query}"
        try:
            if self._settings.site != self._settings.sandbox_site:
                raise ValueError(f"no such key on {self._settings.site}")
            with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 (a setting)
                valid = json.load(answer).get("valid", False)
        except (OSError, ValueError) as error:
            reason = getattr(error, "code", None) or str(error)
            raise RuntimeError(f"Failed to check if API Key is valid: {reason}") from None
        if not valid:
            raise RuntimeError("Failed to check if API Key is valid: it is not")

    def post_logs(self, logs):
        """Post in batches; returns how many were taken."""
        for start in range(0, len(logs), _LOGS_PER_REQUEST):
            self._post(self._settings.logs_url, logs[start : start + _LOGS_PER_REQUEST])
        return len(logs)

    def post_metrics(self, metrics, tags=()):
        """Post metric lines as distributions; returns how many were taken."""
        series = [
            {
                "metric": each["m"],
                "points": [[int(each["e"]), [each["v"]]]],
                "type": "distribution",
                "tags": [*each["t"], *(tag for tag in tags if tag not in each["t"])],
            }
            for each in metrics
        ]
        if series:
            self._post(f"{self._settings.api_url}/api/v1/distribution_points", {"series": series})
        return len(series)

    def post_traces(self, traces, tags):
        """Post trace lines with the function's tags; returns how many were taken."""
        for each in traces:
            payload = {"traces": each["traces"], "tags": ",".join(tags)}
            self._post(f"{self._settings.trace_url}/api/v0.2/traces", payload)
        return len(traces)

    def post_telemetry(self, counts, context):
        """Post what the official Forwarder says of itself, `aws.dd_forwarder.*`."""
        tags = [
            f"forwardername:{context.function_name.lower()}",
            f"forwarder_memorysize:{context.memory_limit_in_mb}",
            f"forwarder_version:{VERSION}",
            "event_type:awslogs",
        ]
        now = time.time()
        self.post_metrics(
            [{"m": f"aws.dd_forwarder.{name}", "v": n, "e": now, "t": tags} for name, n in counts.items()]
        )

    def _post(self, url, body):
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "deflate",
            "DD-API-KEY": self._key,
        }
        data = zlib.compress(json.dumps(body).encode())
        request = urllib.request.Request(url, data=data, headers=headers, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
            pass
