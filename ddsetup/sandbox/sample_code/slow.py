"""Takes longer than its timeout."""

import logging
import time

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(_event, _context):
    logger.info("waiting for the roaster")
    time.sleep(60)
