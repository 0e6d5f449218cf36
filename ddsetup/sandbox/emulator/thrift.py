"""What the emulator would work out anew for every call, or in a slow way, done once and in a fast one.

Nothing here changes an answer: it is the same work on the same input.
"""

from __future__ import annotations

import functools
import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_METADATA = '"metadata":'


def install() -> None:
    """Take over the parts that a profile of runs against the sandbox named."""
    from ministack.core import iam_evaluator, responses
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import engine

    engine.CfnLoader = _with_libyaml(engine.CfnLoader)
    responses._service_model = _metadata_alone(responses)
    # Each call is held against every action of every statement of its caller.
    iam_evaluator.fnmatch_iam = functools.lru_cache(maxsize=16_384)(iam_evaluator.fnmatch_iam)
    iam_evaluator.parse_policy_document = _text_once(iam_evaluator.parse_policy_document)
    lambda_svc._b64_sha_to_hex = functools.cache(lambda_svc._b64_sha_to_hex)
    lambda_svc._unzipped_size = functools.lru_cache(maxsize=16)(lambda_svc._unzipped_size)


def _with_libyaml(loader: Any) -> Any:
    """The loader of templates with its own tags, on the parser that is written in C, where there is one."""
    import yaml

    if not hasattr(yaml, "CSafeLoader"):
        return loader
    parts = ("yaml_constructors", "yaml_multi_constructors", "yaml_implicit_resolvers")
    return type("CfnLoader", (yaml.CSafeLoader,), {name: getattr(loader, name) for name in parts})


def _metadata_alone(responses: Any) -> Any:
    """Of a service's model only what is asked of it: its metadata, which stands first in its file."""
    import botocore

    models = Path(botocore.__file__).parent / "data"

    @functools.cache
    def model(service: str) -> Any:
        name = responses._BOTOCORE_NAME.get(service, service)
        files = sorted(models.glob(f"{name}/*/service-2.json.gz"))
        if not files:
            return None
        with gzip.open(files[-1], "rt", encoding="utf-8") as file:
            text = file.read()
        start = text.index("{", text.index(_METADATA))
        return SimpleNamespace(metadata=json.JSONDecoder().raw_decode(text, start)[0])

    return model


def _text_once(parse: Any) -> Any:
    known = functools.lru_cache(maxsize=1024)(parse)

    def parsed(document: Any) -> Any:
        return known(document) if isinstance(document, str) else parse(document)

    return parsed
