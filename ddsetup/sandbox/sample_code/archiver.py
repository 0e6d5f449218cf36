"""Somebody else's consumer of logs."""

import base64
import gzip
import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, _context):
    delivery = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    logger.info("archived %d events of %s", len(delivery["logEvents"]), delivery["logGroup"])
