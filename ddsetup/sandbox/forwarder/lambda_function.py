"""The sandbox's Forwarder: takes what CloudWatch Logs delivers and posts it to Datadog's intakes."""

from sandbox_forwarder.account import Account
from sandbox_forwarder.events import read
from sandbox_forwarder.intake import Intake
from sandbox_forwarder.report import enhanced_metrics
from sandbox_forwarder.settings import Settings

settings = Settings.from_environment()
account = Account(settings)
intake = Intake(settings, account.api_key())
intake.check_key()


def lambda_handler(event, context):
    """Sort a delivery into logs, metrics and traces, and post each to its intake."""
    delivery = read(event, context)
    own_tags = account.function_tags(delivery.function_arn) if delivery.function_arn else []
    tags = delivery.tags(settings, own_tags, context)
    derived = [metric for log in delivery.logs for metric in enhanced_metrics(log, delivery, own_tags)]
    logs = delivery.as_intake_logs(settings, tags, context) if settings.forward_log else []
    counts = {
        "incoming_events": 1,
        "logs_forwarded": intake.post_logs(logs),
        "metrics_forwarded": intake.post_metrics(delivery.metrics, tags) + intake.post_metrics(derived),
        "traces_forwarded": intake.post_traces(delivery.traces, tags),
    }
    intake.post_telemetry(counts, context)
    return {"statusCode": 200}
