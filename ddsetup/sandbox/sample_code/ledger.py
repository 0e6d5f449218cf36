"""Writes down what it is told, by a queue, a topic or a bus."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, _context):
    source = event.get("source") or next(iter(event.get("Records", ())), {})
    logger.info("written down what %s told", source if isinstance(source, str) else _source(source))


def _source(record):
    return record.get("eventSource") or record.get("EventSource") or "somebody"
