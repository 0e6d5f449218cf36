"""Takes an order, tells everybody who asked to be told, and waits for the roaster."""

import json
import logging
import os

import boto3

ROASTER = "chain-roaster"
logger = logging.getLogger("counter")
logger.setLevel(logging.INFO)


class RoasterFailed(Exception):
    """What the roaster answered."""


def handler(event, _context):
    order = json.dumps({"order": event.get("order", "espresso")})
    boto3.client("sqs").send_message(QueueUrl=os.environ["RECEIPTS"], MessageBody=order)
    boto3.client("sns").publish(TopicArn=os.environ["NEWS"], Message=order)
    entry = {"Source": "coffee.counter", "DetailType": "order", "Detail": order}
    boto3.client("events").put_events(Entries=[entry])
    logger.info("asking %s to roast", ROASTER)
    answer = boto3.client("lambda").invoke(FunctionName=ROASTER, Payload=order)
    if answer.get("FunctionError"):
        raise RoasterFailed(f"no beans: {json.load(answer['Payload'])['errorType']}")
    return {"statusCode": 200}
