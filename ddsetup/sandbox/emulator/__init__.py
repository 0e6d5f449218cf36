"""The emulated AWS account: ministack's application with what it lacks, run as one process.

Everything in this package runs inside that process (`python -m ddsetup.sandbox.emulator SETTINGS`), beside
ministack's own state. It is written against ministack 1.5 and is the only place that knows its inside.
"""
