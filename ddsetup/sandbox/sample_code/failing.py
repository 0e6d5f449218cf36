"""Fails every time, as a function with a bug does."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


class MachineBroken(Exception):
    """The coffee machine."""


def handler(_event, _context):
    logger.info("starting the machine")
    raise MachineBroken("the grinder is stuck")
