"""The query protocol by the shapes of botocore's model: requests as documents, answers as XML."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from ddsetup.sandbox.emulator.refusals import Refusal

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@cache
def _model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("cloudformation", "service-2"), "cloudformation")


def request(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked. `parameters` maps flat names (`Regions.member.1`) to lists of values."""
    shape = _model().operation_model(operation).input_shape
    flat = {key: value[0] if isinstance(value, list) else value for key, value in parameters.items()}
    return dict(_read(shape, "", flat) or {})


def _read(shape: Any, prefix: str, flat: Mapping[str, str]) -> Any:
    """The value at a prefix, None if there is none."""
    if shape.type_name == "structure":
        lead = f"{prefix}." if prefix else ""
        members = {name: _read(each, f"{lead}{name}", flat) for name, each in shape.members.items()}
        found = {name: value for name, value in members.items() if value is not None}
        return found or None
    if shape.type_name == "list":
        return _read_list(shape, prefix, flat)
    text = flat.get(prefix)
    if text is None:
        return None
    if shape.type_name == "boolean":
        return text.lower() == "true"
    return int(text) if shape.type_name == "integer" else text


def _read_list(shape: Any, prefix: str, flat: Mapping[str, str]) -> list[Any] | None:
    items: list[Any] = []
    while (item := _read(shape.member, f"{prefix}.member.{len(items) + 1}", flat)) is not None:
        items.append(item)
    return items or ([] if flat.get(prefix) == "" else None)


def answer(operation: str, document: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The answer of an operation. Raises KeyError for a member that its shape does not have."""
    shape = _model().operation_model(operation).output_shape
    inner = "".join(_written(shape, document)) if shape is not None else ""
    body = (
        f'<{operation}Response xmlns="{_NAMESPACE}"><{operation}Result>{inner}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return 200, {"Content-Type": "text/xml"}, body.encode()


def _written(shape: Any, value: Any) -> Iterator[str]:
    if shape.type_name == "structure":
        for name, each in value.items():
            if each is not None:
                yield f"<{name}>{''.join(_written(shape.members[name], each))}</{name}>"
    elif shape.type_name == "list":
        for each in value:
            yield f"<member>{''.join(_written(shape.member, each))}</member>"
    elif shape.type_name == "timestamp":
        yield time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(value)) + f".{int(value % 1 * 1000):03}Z"
    elif shape.type_name == "boolean":
        yield "true" if value else "false"
    else:
        yield escape(str(value))


def refusal(refused: Refusal) -> tuple[int, dict[str, str], bytes]:
    """The error, with the status that the model gives it."""
    shapes = {shape.name: shape for shape in _model().error_shapes}
    status = 400
    if refused.code in shapes:
        status = shapes[refused.code].metadata.get("error", {}).get("httpStatusCode", status)
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{escape(refused.code)}</Code>'
        f"<Message>{escape(refused.text)}</Message></Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"
    )
    return status, {"Content-Type": "text/xml"}, body.encode()


def page(items: list[Any], data: Mapping[str, Any], most: int = 100) -> dict[str, Any]:
    """The members `Summaries` and `NextToken` of one page."""
    size = min(int(data.get("MaxResults") or most), most)
    token = str(data.get("NextToken", ""))
    first = int(token) if token.isdigit() else 0
    more = {"NextToken": str(first + size)} if len(items) > first + size else {}
    return {"Summaries": items[first : first + size], **more}
