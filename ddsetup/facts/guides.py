"""Pages of Datadog's documentation that findings lead to."""

from __future__ import annotations

_DOCS = "https://docs.datadoghq.com"
STREAM_GUIDE = f"{_DOCS}/integrations/guide/aws-cloudwatch-metric-streams-with-kinesis-data-firehose/"
STS_GUIDE = f"{_DOCS}/integrations/guide/error-datadog-not-authorized-sts-assume-role/"
DELAY_GUIDE = f"{_DOCS}/integrations/guide/cloud-metric-delay/"
LAMBDA_GUIDE = f"{_DOCS}/serverless/aws_lambda/troubleshooting/"
SETTINGS_GUIDE = f"{_DOCS}/serverless/aws_lambda/configuration/"
LOGS_GUIDE = f"{_DOCS}/logs/guide/lambda-logs-collection-troubleshooting-guide/"
FORWARDER_GUIDE = f"{_DOCS}/logs/guide/send-aws-services-logs-with-the-datadog-lambda-function/"
TAGS_GUIDE = f"{_DOCS}/serverless/guide/serverless_tagging/"
