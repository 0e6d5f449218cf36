"""What keeps data back is derived from where checks stand; it was written down by hand before, as here."""

from __future__ import annotations

from typing import get_args

from ddsetup.doctor.chain import _PARTS
from ddsetup.doctor.checks.check import At
from ddsetup.doctor.checks.registry import BY_ID, CHECKS
from ddsetup.facts.signals import BY_NAME
from ddsetup.model.report import SignalName

NAMES: tuple[SignalName, ...] = ("cloudwatch_metrics", "enhanced_metrics", "cold_start", "logs", "traces")
LETTERS = {letter: BY_NAME[name].check[0] for letter, name in zip("MESLT", NAMES, strict=True)}
STOPS = """
local-clock MESLT
datadog-reachable MESLT
datadog-keys MESLT
datadog-permissions MESLT
integration-exists MESLT
role-exists M
role-trust M
role-permissions M
role-boundary M
metrics-enabled M
lambda-namespace M
regions-included M
metric-tag-filters M
metric-name-filters M
metric-stream-delivers M
forwarder-exists ESLT
forwarder-ready ESLT
forwarder-site ESLT
forwarder-key ESLT
forwarder-logs-on L
forwarder-filter ESLT
forwarder-permission ESLT
forwarder-address T
forwarder-errors ESLT
forwarder-throttles ESLT
forwarder-concurrency ESLT
forwarder-egress ESLT
forwarder-decrypt ESLT
forwarder-registered ESLT
stale-registration ESLT
log-source ESLT
function-runtime EST
other-vendor EST
exec-wrapper EST
handler-kept EST
function-instrumented EST
published-version EST
function-ready ESLT
function-concurrency MESLT
function-starts ESLT
extension-egress ESLT
layer-present ESLT
layer-runtime ESLT
layer-architecture ESLT
handler-redirected EST
handler-known ESLT
wrapper-set EST
flush-to-log EST
key-source ESLT
key-access ESLT
key-mapping ESLT
function-site ESLT
tracing-on T
enhanced-metrics-on ES
extension-logs L
application-log-level EST
log-group-exists ESLT
log-group-class ESLT
log-group-subscribed ESLT
log-group-room ESLT
filter-pattern ESLT
role-writes-logs ESLT
enhanced-arrive S
logs-indexed L
old-forwarder ESLT
"""


def test_the_causes_of_missing_data_are_those_that_were_known() -> None:
    known = dict(row.split() for row in STOPS.strip().splitlines())
    derived = {
        check.id: "".join(letter for letter, id_ in LETTERS.items() if check.id in BY_ID[id_].because_of)
        for check in CHECKS
    }
    assert {id_: letters for id_, letters in derived.items() if letters} == known


def test_every_place_on_the_road_has_a_link_and_a_check() -> None:
    assert [part.title for part in _PARTS if part.signal is None] == list(get_args(At))
    assert {check.at for check in CHECKS if check.at} == set(get_args(At))
