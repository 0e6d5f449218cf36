"""What the emulator lacks of SNS: binary message attributes reach those who are told.

They stand in a notification as `{"Type": "Binary", "Value": base64}` (SNS developer guide, message
attributes); the emulator leaves the value empty. Tracers carry a trace in one.
"""

from __future__ import annotations

from typing import Any


def install() -> None:
    """Write the values of binary attributes into notifications."""
    from ministack.services import sns

    build = sns._build_envelope

    def with_binary(
        topic: str, message_id: str, message: str, subject: str, attributes: Any, raw: bool
    ) -> str:
        told = {
            name: {**each, "StringValue": each["BinaryValue"]} if each.get("BinaryValue") else each
            for name, each in (attributes or {}).items()
        }
        return str(build(topic, message_id, message, subject, told, raw))

    sns._build_envelope = with_binary
