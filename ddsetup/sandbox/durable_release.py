"""What stands in for Datadog's template of durable executions' events: its parameters, rule, names and types.

Of EventBridge and Firehose nothing flows here; what is compared is what was made, and that it goes again.
"""

from __future__ import annotations

from typing import Any

from ddsetup.sandbox.forwarder_release import publish_beside

_KEY = "aws/lambda-durable-function-event-forwarder/latest.yaml"
_FILTERS = "".join(
    f"""  FunctionArnFilter{number}:
    Type: String
    Default: ""
    AllowedPattern: "^$|^arn:aws[a-z-]*:lambda:[a-z0-9-*]*:[0-9*]*:function:[a-zA-Z0-9_*-]+$"
"""
    for number in range(1, 6)
)
_TEMPLATE = f"""AWSTemplateFormatVersion: "2010-09-09"
Description: Tells Datadog how durable executions end (the sandbox's stand-in for template 0.1.0).
Parameters:
  DdApiKey: {{Type: String, NoEcho: true, Default: ""}}
  DdApiKeySecretArn:
    Type: String
    Default: ""
    AllowedPattern: "^$|^arn:.*:secretsmanager:.*"
  DdApiKeySsmParameterName:
    Type: String
    Default: ""
    AllowedPattern: "^$|^/[a-zA-Z0-9/_.-]+$"
  DdSite: {{Type: String, Default: datadoghq.com, AllowedPattern: .+}}
  Statuses: {{Type: CommaDelimitedList, Default: ""}}
{_FILTERS}  BufferIntervalSeconds: {{Type: Number, Default: 60, MinValue: 60, MaxValue: 900}}
Rules:
  ApiKeyRequired:
    Assertions:
      - Assert: !Or
          - !Not [!Equals [!Ref DdApiKey, ""]]
          - !Not [!Equals [!Ref DdApiKeySecretArn, ""]]
          - !Not [!Equals [!Ref DdApiKeySsmParameterName, ""]]
        AssertDescription: One of DdApiKey, DdApiKeySecretArn, or DdApiKeySsmParameterName must be set.
Resources:
  BackupBucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
      LifecycleConfiguration:
        Rules: [{{Id: ExpireFailedRecords, Status: Enabled, ExpirationInDays: 30}}]
  FirehoseLogGroup:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/aws/kinesisfirehose/${{AWS::StackName}}"
      RetentionInDays: 7
  FirehoseHttpLogStream:
    Type: AWS::Logs::LogStream
    Properties: {{LogGroupName: !Ref FirehoseLogGroup, LogStreamName: HttpEndpointDelivery}}
  FirehoseRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {{Effect: Allow, Principal: {{Service: firehose.amazonaws.com}}, Action: sts:AssumeRole}}
      Policies:
        - PolicyName: FirehoseDelivery
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {{Effect: Allow, Action: [s3:PutObject], Resource: !Sub "${{BackupBucket.Arn}}/*"}}
  DeliveryStream:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamType: DirectPut
      HttpEndpointDestinationConfiguration:
        EndpointConfiguration:
          Name: Datadog
          Url: !Sub "https://aws-kinesis-http-intake.logs.${{DdSite}}/v1/input"
        BufferingHints: {{IntervalInSeconds: !Ref BufferIntervalSeconds, SizeInMBs: 4}}
        RoleARN: !GetAtt FirehoseRole.Arn
        S3BackupMode: FailedDataOnly
        S3Configuration:
          BucketARN: !GetAtt BackupBucket.Arn
          RoleARN: !GetAtt FirehoseRole.Arn
  EventRule:
    Type: AWS::Events::Rule
    Properties:
      State: ENABLED
      EventPattern:
        source: [aws.lambda]
        detail-type: [Durable Execution Status Change]
      Targets:
        - Id: FirehoseTarget
          Arn: !GetAtt DeliveryStream.Arn
          RoleArn: !GetAtt EventBridgeRole.Arn
  EventBridgeRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {{Effect: Allow, Principal: {{Service: events.amazonaws.com}}, Action: sts:AssumeRole}}
Outputs:
  DeliveryStreamArn: {{Value: !GetAtt DeliveryStream.Arn}}
  BackupBucketName: {{Value: !Ref BackupBucket}}
  EventRuleArn: {{Value: !GetAtt EventRule.Arn}}
  ForwarderVersion: {{Value: "0.1.0"}}
"""


def publish(s3: Any, beside: str) -> str:
    """Put the template into the bucket of the Forwarder's, whose address is `beside`; returns its address."""
    return publish_beside(s3, beside, _KEY, _TEMPLATE)
