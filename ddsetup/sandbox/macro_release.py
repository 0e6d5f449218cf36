"""What stands in for the template of Datadog's CloudFormation macro; its macro changes nothing."""

from __future__ import annotations

from typing import Any

from ddsetup.sandbox.forwarder_release import publish_beside

_KEY = "aws/serverless-macro/latest.yml"
_TEMPLATE = """AWSTemplateFormatVersion: "2010-09-09"
Description: Adds Datadog to the functions of templates (the sandbox's stand-in, which changes nothing).
Resources:
  MacroFunctionRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Service: lambda.amazonaws.com}
            Action: sts:AssumeRole
  MacroFunction:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt MacroFunctionRole.Arn
      Code:
        ZipFile: |
          def handler(event, context):
              return {"requestId": event["requestId"], "status": "success", "fragment": event["fragment"]}
  Macro:
    Type: AWS::CloudFormation::Macro
    Properties:
      Name: DatadogServerless
      FunctionName: !GetAtt MacroFunction.Arn
"""


def publish(s3: Any, beside: str) -> str:
    """Put the template into the bucket of the Forwarder's, whose address is `beside`; returns its address."""
    return publish_beside(s3, beside, _KEY, _TEMPLATE)
