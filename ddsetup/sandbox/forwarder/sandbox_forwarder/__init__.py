"""The parts of the sandbox's Forwarder. They run in a function, with the standard library and the AWS SDK."""
