"""Prepares what was ordered; logs an error for an order it cannot make, and goes on."""

import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)

MENU = {"espresso", "cappuccino", "latte"}


def handler(event, _context):
    order = event.get("order", "espresso")
    if order not in MENU:
        logger.error("cannot make %s: not on the menu", order)
        return {"made": False}
    logger.info("made one %s", order)
    return {"made": True, "order": order}
