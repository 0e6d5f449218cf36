"""What the Forwarder reads from its AWS account, the API key and the tags of functions, and keeps there."""

import json
import time

import boto3


class Account:
    """Keeps the tags of all functions for as long as the template's TagsCacheTTLSeconds says."""

    def __init__(self, settings):
        self._settings = settings
        self._tags = {}
        self._read_at = 0.0
        self._asked = set()

    def api_key(self):
        """The key from Secrets Manager, else from Systems Manager."""
        if self._settings.key_secret_arn:
            client = boto3.client("secretsmanager")
            text = client.get_secret_value(SecretId=self._settings.key_secret_arn)["SecretString"]
        else:
            client = boto3.client("ssm")
            answer = client.get_parameter(Name=self._settings.key_parameter, WithDecryption=True)
            text = answer["Parameter"]["Value"]
        text = text.strip()
        return json.loads(text)["DD_API_KEY"].strip() if text.startswith("{") else text

    def function_tags(self, arn):
        """The function's resource tags as `key:value`, if the template's DdFetchLambdaTags is true."""
        if not self._settings.fetch_lambda_tags:
            return []
        unknown = arn not in self._tags and arn not in self._asked
        if unknown or time.time() - self._read_at > self._settings.tags_cache_seconds:
            self._asked.add(arn)
            self._read()
        return self._tags.get(arn, [])

    def _read(self):
        pages = boto3.client("resourcegroupstaggingapi").get_paginator("get_resources")
        self._read_at = time.time()
        self._tags = {
            resource["ResourceARN"].lower(): [_tag(each) for each in resource["Tags"]]
            for page in pages.paginate(ResourceTypeFilters=["lambda:function"], ResourcesPerPage=100)
            for resource in page["ResourceTagMappingList"]
        }
        if self._settings.bucket:
            # As the official Forwarder keeps them: caching/base_tags_cache.py and settings.py of 5.4.11.
            body = json.dumps(self._tags).encode()
            boto3.client("s3").put_object(
                Bucket=self._settings.bucket, Key=self._settings.cache_key, Body=body
            )


def _tag(pair):
    key = pair["Key"].lower().replace(":", "_")
    return f"{key}:{pair['Value'].lower()}" if pair.get("Value") else key
