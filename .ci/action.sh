#!/usr/bin/env bash
# What `action.yml` does: runs one command of ddsetup for a job, and makes of its exit code what the job makes of it.
#
#   MODE        plan, setup, apply, verify, doctor, status, keep check, keep apply
#   ARGUMENTS   further arguments, one a line
#   STRICT      true: 5 (partly done) and 6 (not seen in Datadog) fail the job, too
#   COMMENT     the number of the pull request that the plan is written to; empty: none
#   SARIF       true: the doctor's findings, too, as ddsetup.sarif
#
# Written: ddsetup.md (and, with it, the job's summary), ddsetup.sarif; outputs exit-code, result, sarif.
set -uo pipefail

arguments=()
while IFS= read -r line; do
  [ -z "$line" ] || arguments+=("$line")
done <<<"${ARGUMENTS:-}"

extra=()
case "$MODE" in
  plan) extra=(--detailed-exitcode) ;;
  setup | apply | "keep apply") extra=(--yes) ;;
  verify | doctor | status | "keep check") ;;
  *)
    echo "::error::ddsetup: mode is plan, setup, apply, verify, doctor, status, keep check or keep apply, not what was given"
    exit 2
    ;;
esac

result="${RESULT:-ddsetup.md}"
read -ra command <<<"$MODE"
ddsetup "${command[@]}" ${extra[@]+"${extra[@]}"} --no-input --output markdown ${arguments[@]+"${arguments[@]}"} >"$result"
code=$?
cat "$result" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"

sarif=""
if [ "${SARIF:-false}" = true ]; then
  sarif=ddsetup.sarif
  # What it finds is in the file; here it only counts whether it could look.
  ddsetup doctor --no-input --sarif "$sarif" --output json >/dev/null || [ -s "$sarif" ] || sarif=""
fi

if [ -n "${COMMENT:-}" ]; then
  gh pr comment "$COMMENT" --edit-last --create-if-none --body-file "$result" ||
    echo "::warning::ddsetup: the plan could not be written to the pull request (permission pull-requests: write)"
fi

{
  echo "exit-code=$code"
  echo "result=$result"
  echo "sarif=$sarif"
} >>"${GITHUB_OUTPUT:-/dev/null}"

case "$MODE:$code:${STRICT:-false}" in
  *:0:*) ;;
  plan:3:*) echo "::notice::ddsetup: there are changes; see the job's summary" ;;
  "keep check":3:*)
    echo "::error::ddsetup: something has drifted from what was set up; ddsetup keep apply puts it right"
    exit 3
    ;;
  verify:6:*)
    echo "::error::ddsetup: data of something that ran was not seen in Datadog"
    exit 6
    ;;
  *:5:false) echo "::warning::ddsetup: partly done; the same command does what is left" ;;
  *:6:false) echo "::warning::ddsetup: all is done, but data was not seen in Datadog in time" ;;
  *)
    echo "::error::ddsetup $MODE ended with $code; see the job's summary"
    exit "$code"
    ;;
esac
