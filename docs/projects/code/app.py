"""Orders of the coffee house."""

from datadog_lambda.metric import lambda_metric
from datadog_lambda.wrapper import datadog_lambda_wrapper

lambda_metric("coffee_house.started", 1)


@datadog_lambda_wrapper
def price_of(order):
    price = f"{order['price']:.2f}"
    lambda_metric("coffee_house.order_value", price, tags=["product:latte"])
    return price


def handler(event, _context):
    return {"price": price_of(event)}
