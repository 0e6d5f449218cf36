"""Runs a function's worker with the root logger that Lambda's Python runtimes set up.

Executed by path, without this package on the module path: it must import nothing of ddsetup. The request id
is not known when a record is formatted; the emulator puts it in place of the mark, and line breaks in place
of theirs, so that a record stays one event.
"""

import logging
import runpy
import sys
import time

REQUEST_ID_MARK = "{request-id}"
LINE_BREAK = "\x1f"


class LambdaLoggerHandler(logging.Handler):
    """Writes records the way Lambda's own handler of that name does (the Datadog library looks for it)."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record).rstrip("\n").replace("\n", LINE_BREAK) + "\n")
        sys.stderr.flush()


def _add_request_id(record: logging.LogRecord) -> bool:
    record.aws_request_id = REQUEST_ID_MARK
    return True


def main() -> None:
    """Set up logging, then run the script named by the first argument as the main program."""
    handler = LambdaLoggerHandler()
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_add_request_id)
    logging.getLogger().addHandler(handler)
    sys.argv = sys.argv[1:]
    sys.path.pop(0)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
