"""Lambda's configurations in memory, with the revisions of the real one: thousands of writes a second.

A competitor calls it directly (it has the methods of a boto3 client that competitors use); ddsetup calls it
by HTTP through its own gateway. Each write moves the RevisionId; one that names another revision is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from tests.gateways.aws_stand import ACCOUNT, REGION


class LambdaStand:
    """The functions, and what happens right before ddsetup's writes."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._functions: dict[str, dict[str, Any]] = {}
        self.before_write: Callable[[str], None] = lambda name: None
        for number in range(count):
            name = f"f-{number:03}"
            self._functions[name] = {
                "FunctionName": name,
                "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}",
                "Runtime": "python3.12",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/r",
                "Handler": "app.handler",
                "PackageType": "Zip",
                "MemorySize": 128,
                "CodeSha256": "first",
                "CodeSize": 100,
                "State": "Active",
                "LastUpdateStatus": "Successful",
                "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
                "RevisionId": str(uuid.uuid4()),
            }

    @property
    def names(self) -> list[str]:
        return sorted(self._functions)

    def list_functions(self) -> list[dict[str, Any]]:
        with self._lock:
            return json.loads(json.dumps(list(self._functions.values())))  # type: ignore[no-any-return]

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        with self._lock:
            return json.loads(json.dumps(self._functions[FunctionName]))  # type: ignore[no-any-return]

    def update_function_configuration(
        self,
        *,
        FunctionName: str,  # noqa: N803
        RevisionId: str = "",  # noqa: N803
        **change: Any,
    ) -> dict[str, Any]:
        with self._lock:
            config = self._functions[FunctionName]
            if RevisionId and RevisionId != config["RevisionId"]:
                text = "The RevisionId does not match"
                raise ClientError(
                    {"Error": {"Code": "PreconditionFailedException", "Message": text}}, "Update"
                )
            if "Layers" in change:
                change["Layers"] = [{"Arn": arn, "CodeSize": 1} for arn in change["Layers"]]
            config.update(change, RevisionId=str(uuid.uuid4()))
            return dict(config)

    def update_function_code(self, *, FunctionName: str, ZipFile: bytes) -> dict[str, Any]:  # noqa: N803
        digest = base64.b64encode(hashlib.sha256(ZipFile).digest()).decode()
        return self.update_function_configuration(FunctionName=FunctionName, CodeSha256=digest)

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address for ddsetup."""
        stand = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def do_GET(self) -> None:
                name = _name(self.path)
                if name:
                    config = stand.get_function_configuration(FunctionName=name)
                    self._answer(200, {"Configuration": config, "Tags": {}})
                else:
                    self._answer(200, {"Functions": stand.list_functions()})

            def do_PUT(self) -> None:
                change = json.loads(self.rfile.read(int(self.headers["content-length"])))
                name = _name(self.path)
                stand.before_write(name)
                try:
                    self._answer(200, stand.update_function_configuration(FunctionName=name, **change))
                except ClientError as error:
                    self._answer(412, {"message": "moved"}, error.response["Error"]["Code"])

            def _answer(self, status: int, document: Mapping[str, Any], code: str = "") -> None:
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                if code:
                    self.send_header("x-amzn-errortype", code)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()


def _name(path: str) -> str:
    """The function's name in `/2015-03-31/functions/NAME[/configuration]`, which may be an ARN."""
    parts = unquote(path.split("?", maxsplit=1)[0]).rstrip("/").split("/")
    return parts[3].rpartition(":function:")[2] if len(parts) > 3 else ""
