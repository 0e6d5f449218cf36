"""CloudFormation StackSets with service-managed permissions, which the emulator does not have.

A set's stacks really appear in the accounts of the organisation, made by the emulator's own CloudFormation.
Shapes of requests and answers are those of botocore's `cloudformation` model, as is what is not said to be an
assumption; StackSets with self-managed permissions there are none.
"""
