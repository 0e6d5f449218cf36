"""A coffee house that takes orders: writes logs and, with the Datadog library at hand, a custom metric."""

import json
import logging
from itertools import cycle

try:
    from datadog_lambda.metric import lambda_metric
except ImportError:
    lambda_metric = None

logger = logging.getLogger()
logger.setLevel(logging.INFO)

PRICES = {"espresso": 2.4, "cappuccino": 3.6, "latte": 3.9}
_usual_orders = cycle(sorted(PRICES))


def handler(event, _context):
    order = event.get("order") or next(_usual_orders)
    value = PRICES.get(order, 3.0) * int(event.get("cups", 1))
    logger.info("order received: %s for %.2f", order, value)
    if lambda_metric is not None:
        lambda_metric("coffee_house.order_value", value, tags=[f"product:{order}", "order:online"])
    return {"statusCode": 200, "body": json.dumps({"order": order, "value": value})}
