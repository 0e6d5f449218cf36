"""Given values, defaults and typed answers go one way; what is missing is named at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ddsetup.ask.asking import Missing, Scope, answers_from, scope_from
from ddsetup.ask.choosing import choose_functions
from ddsetup.ask.dialogue import Dialogue
from ddsetup.ask.prompter import Back, Prompt, Prompter, Row
from ddsetup.model.account import Json
from ddsetup.model.answers import Answers, KeySource, Selection, Tracing
from ddsetup.model.errors import UsageError
from ddsetup.model.snapshot import Snapshot
from ddsetup.settings.fields import answers_of, values_of
from ddsetup.settings.given import Given, from_environment, from_flags
from ddsetup.settings.setting import Value
from ddsetup.settings.table import TABLE
from tests.builders import api_stage, forwarder, function, lane_snapshot, snapshot, state_machine

ENTER = object()
SIGNALS = ("logs", "traces", "enhanced_metrics")
SIGNALS_KEY = "signals"


@dataclass
class Script:
    """A prompter that types what the script says; ENTER takes what is preselected, Back goes back."""

    lines: list[object]
    seen: list[Prompt] = field(default_factory=list)

    def ask(self, prompt: Prompt) -> Json:
        self.seen.append(prompt)
        line = self.lines.pop(0)
        if line is Back:
            raise Back
        value = (prompt.default if prompt.default is not None else "") if line is ENTER else line
        wrong = prompt.check(value)
        return self.ask(prompt) if wrong else value

    def pick(self, title: str, rows: Sequence[Row], **_: object) -> tuple[str, ...]:
        raise AssertionError("no list expected")

    def say(self, text: str) -> None:
        raise AssertionError("nothing to say expected")


def everything(_snapshot: Snapshot, _prompter: Prompter) -> Mapping[str, Value]:
    return {"all": True}


def test_all_missing_answers_are_named_in_one_error() -> None:
    keys = Missing("Datadog API key", "", "DD_API_KEY")
    with pytest.raises(UsageError) as caught:
        scope_from(Given(), None, missing=[keys])
    text = caught.value.what
    assert caught.value.exit_code == 2
    for way in ("--site", "DD_SITE", "DDSETUP_SITE", "--region", "DDSETUP_REGION", "--all", "DD_API_KEY"):
        assert way in text


def test_wrong_values_are_named_with_their_origin_and_together_with_missing_ones() -> None:
    given = from_flags({"via": "pigeon"}).over(from_environment({"DD_SITE": "datadog.example"}))
    with pytest.raises(UsageError) as caught:
        scope_from(given, None, default_regions=["eu-west-1"])
    assert "--via: 'pigeon' is not one of forwarder, extension" in caught.value.what
    assert "DD_SITE: 'datadog.example' is not a Datadog site" in caught.value.what
    assert "--all" in caught.value.what
    assert "--region" not in caught.value.what


def test_a_key_pasted_where_its_arn_is_wanted_is_not_repeated() -> None:
    key = "0123456789abcdef0123456789abcdef"
    given = from_flags({"api_key_secret": key}).over(from_environment({"DDSETUP_API_KEY_KMS": key}))
    assert "DDSETUP_API_KEY_KMS" not in given.values
    for wrong in (given, from_flags({"api_key_kms": key}), from_flags({"app_key_secret": key})):
        with pytest.raises(UsageError) as caught:
            scope_from(wrong, None)
        assert key not in str(caught.value) + repr(wrong)


def test_a_flag_wins_over_a_variable_and_ddsetups_own_variable_over_datadogs() -> None:
    environment = from_environment(
        {"DDSETUP_SITE": "EU1", "DD_SITE": "datadoghq.com", "DDSETUP_VIA": "extension"}
    )
    given = from_flags({"via": "forwarder", "region": ["eu-west-1,us-east-1"], "all": True}).over(environment)
    answers = answers_from(given, None, None)
    assert (answers.site, answers.via) == ("datadoghq.eu", "forwarder")
    assert answers.regions == ("eu-west-1", "us-east-1")
    assert answers.selection == Selection(all=True)


def test_functions_named_by_a_flag_are_not_widened_by_a_weaker_source() -> None:
    weaker = from_environment({"DDSETUP_ALL": "1", "DDSETUP_EXCLUDE": "secret-*", "DDSETUP_TAG": "team=a"})
    given = from_flags({"function": ["one"]}).over(weaker)
    assert answers_from(
        given, None, None, scope=Scope("datadoghq.com", ("eu-west-1",))
    ).selection == Selection(names=("one",), exclude=("secret-*",))


def test_only_one_source_of_the_key_for_functions() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:dd-AbCdEf"
    ssm = "arn:aws:ssm:eu-west-1:123456789012:parameter/dd"
    with pytest.raises(UsageError, match="--api-key-secret and --api-key-ssm: only one"):
        scope_from(from_flags({"api_key_secret": arn, "api_key_ssm": ssm}), None)


def test_prompts_fill_only_what_is_open_and_enter_gives_the_defaults() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "env": "prod"})
    script = Script([ENTER])
    asked = answers_from(given, snapshot(), script, choose=everything)
    unasked = answers_from(given.over(from_flags({"all": True})), None, None)
    assert asked == unasked
    assert not any("site" in prompt.text or "Environment" in prompt.text for prompt in script.seen)
    assert not script.lines


def test_one_screen_says_what_will_be_used_and_leads_to_every_setting() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True, "service": "shop"})
    script = Script(
        ["change", "env", "prod", "change", "fips", True, "change", SIGNALS_KEY, ("logs",), ENTER]
    )
    found = answers_from(given, snapshot(), script)
    assert (found.env, found.fips, found.service) == ("prod", True, "shop")
    assert (found.logs, found.traces, found.enhanced_metrics) == (True, False, False)
    first, last = script.seen[0], script.seen[-1]
    assert first.text == last.text == "Use these settings?"
    assert "Environment (env)         none" in first.why
    assert "Environment (env)         prod" in last.why
    assert "FIPS                      yes" in last.why
    assert "Sent                      Logs" in last.why.splitlines()
    assert "shop" not in last.why
    settings = {choice.value for choice in script.seen[1].choices}
    assert settings >= {"via", "log_source", "extra_tag", "role_name", "api_key_ssm", "forwarder_param"}
    assert "service" not in settings


def test_who_is_asked_finds_metric_streams_where_settings_are_changed_and_is_asked_nothing_more() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True, "log_level": "debug"})
    script = Script(["change", "metrics", "stream", ENTER])
    assert answers_from(given, snapshot(), script).metrics == "stream"
    screen, settings, metrics, again = script.seen
    assert "CloudWatch metrics" not in screen.why
    assert "CloudWatch metrics come by  Metric stream" in again.why
    assert [choice.value for choice in metrics.choices] == ["poll", "stream"]
    assert metrics.default == "poll"
    offered = {choice.value for choice in settings.choices}
    assert "metrics" in offered
    assert "log_level" not in offered, "what was given is decided"


def test_going_back_from_the_choice_of_a_setting_changes_nothing() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True})
    script = Script(["change", Back, "change", "env", Back, ENTER])
    assert answers_from(given, snapshot(), script) == answers_from(given, None, None)
    assert script.seen[-1].why == script.seen[0].why


def test_yes_with_a_choice_of_functions_asks_nothing() -> None:
    given = from_flags({"site": "EU1", "function": ["shop"], "yes": True})
    tags = {function("shop").arn: {"aws:cloudformation:stack-name": "web"}}
    seen = snapshot(lane_snapshot(function("shop"), tags=tags))
    dialogue = Dialogue()
    scope = scope_from(given, Script([]), default_regions=("eu-west-1",), dialogue=dialogue)
    answers = answers_from(given, seen, Script([]), scope=scope, dialogue=dialogue)
    assert answers == answers_from(given, seen, None, scope=scope)
    with pytest.raises(IndexError):  # what has no answer is asked all the same; --no-input is stricter
        scope_from(
            from_flags({"function": ["shop"], "yes": True}), Script([]), default_regions=("eu-west-1",)
        )


def test_a_region_that_was_not_asked_for_can_be_gone_back_to() -> None:
    given = from_flags({"site": "EU1"})
    dialogue = Dialogue()
    scope = scope_from(given, Script([]), default_regions=("eu-west-1",), dialogue=dialogue)

    def nothing_here(_snapshot: Snapshot, _prompter: Prompter) -> Mapping[str, Value]:
        raise Back

    with pytest.raises(Back):
        answers_from(given, snapshot(), Script([]), scope=scope, choose=nothing_here, dialogue=dialogue)
    again = Script(["eu-west-3"])
    assert scope_from(given, again, default_regions=("eu-west-1",), dialogue=dialogue).regions == (
        "eu-west-3",
    )
    assert again.seen[0].default == "eu-west-1"


def test_a_region_without_functions_leads_back_to_its_question() -> None:
    @dataclass
    class Telling(Script):
        said: list[str] = field(default_factory=list)

        def say(self, text: str) -> None:
            self.said.append(text)

    given, dialogue = from_flags({"site": "EU1"}), Dialogue()
    person = Telling(["eu-west-1"])
    scope = scope_from(given, person, dialogue=dialogue)
    empty = snapshot(lane_snapshot())
    with pytest.raises(Back):
        answers_from(given, empty, person, scope=scope, choose=choose_functions, dialogue=dialogue)
    assert person.said == ["there is no function here (eu-west-1)"]
    assert scope_from(given, Script(["eu-west-3"]), dialogue=dialogue).regions == ("eu-west-3",)
    fixed = given.over(from_flags({"region": ["eu-west-1"]}))
    with pytest.raises(UsageError, match="no function here"):
        answers_from(fixed, empty, person, choose=choose_functions)


def test_a_typed_answer_is_checked_like_its_flag() -> None:
    script = Script(["EU9", "EU1", "nowhere", "eu-west-1, us-east-1"])
    assert scope_from(Given(), script) == Scope("datadoghq.eu", ("eu-west-1", "us-east-1"))
    assert "not a Datadog site" in script.seen[0].check("EU9")


def test_going_back_asks_the_question_before_again_and_forgets_its_answer() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True})
    script = Script(["everything", "extension", Back, "forwarder", ("traces",), *[ENTER] * 4])
    answers = answers_from(given, snapshot(), script)
    assert (answers.via, answers.logs, answers.traces) == ("forwarder", False, True)
    assert [prompt.default for prompt in script.seen[1:4]] == ["forwarder", SIGNALS, "extension"]
    assert not any("subscribes" in prompt.text for prompt in script.seen)


def test_going_back_from_the_first_question_stays_there() -> None:
    assert scope_from(Given(), Script([Back, "EU1", "eu-west-1"])).site == "datadoghq.eu"


def test_a_switch_that_was_given_is_not_asked_for_again() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True, "traces": False})
    script = Script(["everything", ENTER, ("enhanced_metrics",), *[ENTER] * 4])
    answers = answers_from(given, snapshot(), script)
    assert (answers.logs, answers.traces, answers.enhanced_metrics) == (False, False, True)
    assert [choice.value for choice in script.seen[2].choices] == ["logs", "enhanced_metrics"]


def test_what_was_typed_before_is_not_asked_again_and_the_last_of_it_can_be_taken_back() -> None:
    given = from_flags({"site": "EU1", "all": True})
    dialogue = Dialogue()
    scope = scope_from(given, Script(["eu-west-1"]), dialogue=dialogue)
    first = answers_from(
        given, snapshot(), Script(["everything", *[ENTER] * 8]), scope=scope, dialogue=dialogue
    )
    assert list(dialogue.typed)[:4] == ["region", "everything", "via", "signals"]
    assert answers_from(given, snapshot(), Script([]), scope=scope, dialogue=dialogue) == first
    assert dialogue.back() == "log_source"
    again = Script([("lambda", "s3")])
    changed = answers_from(given, snapshot(), again, scope=scope, dialogue=dialogue)
    assert changed.log_sources == ("lambda", "s3")
    assert again.seen[0].default == ("lambda",)


def with_sources() -> Snapshot:
    held = snapshot(
        lane_snapshot(
            state_machines=(state_machine("brew"), state_machine("bake", level="ALL", group="g")),
            api_stages=(api_stage("shop", execution_level="INFO"),),
        )
    )
    services = ("apigw-access-logs", "apigw-execution-logs", "lambda", "s3", "states")
    return replace(held, datadog=replace(held.datadog, log_services=services))


def test_other_sources_are_offered_where_there_are_any_and_nothing_of_them_is_preselected() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True, "via": "forwarder"})
    script = Script(["everything", *[ENTER] * 6, ("brew",), ENTER, ENTER])
    answers = answers_from(given, with_sources(), script)
    assert (answers.state_machines, answers.api_stages) == (("brew",), ())
    machines, stages, sources = script.seen[-3:]
    assert [(c.value, c.hint) for c in machines.choices] == [
        ("all", "later ones, too"),
        ("brew", "logs nothing"),
        ("bake", "logs everything"),
    ]
    assert [c.label for c in stages.choices] == ["shop/prod"]
    assert (machines.default, stages.default) == ((), ())
    hints = {c.value: c.hint for c in sources.choices}
    assert hints["states"] == "2 state machines, 1 with logging at ALL"
    assert hints["s3"] == ""
    assert answers.log_sources == ("lambda", "states", "apigw-access-logs", "apigw-execution-logs")


def test_an_unattended_run_chooses_no_other_source() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "all": True})
    answers = answers_from(given, with_sources(), None)
    assert (answers.state_machines, answers.api_stages, answers.log_sources) == ((), (), ("lambda",))


def test_back_from_the_first_of_these_questions_leads_to_those_before() -> None:
    given = from_flags({"site": "EU1", "all": True})
    dialogue = Dialogue()
    scope = scope_from(given, Script(["eu-west-1"]), dialogue=dialogue)
    with pytest.raises(Back):
        answers_from(given, snapshot(), Script([Back]), scope=scope, dialogue=dialogue)
    script = Script([ENTER])
    assert scope_from(given, script, dialogue=dialogue).regions == ("eu-west-1",)
    assert script.seen[0].text == "Which AWS regions?"


@pytest.mark.parametrize("command", ["verify", "doctor", "status"])
def test_a_command_that_only_looks_takes_the_default_region_without_asking(command: str) -> None:
    given = from_flags({"site": "datadoghq.com"})
    scope = scope_from(given, Script([]), command=command, default_regions=("eu-west-1",))
    assert scope.regions == ("eu-west-1",)
    elsewhere = from_flags({"site": "datadoghq.com", "region": ["eu-west-3"]})
    assert scope_from(elsewhere, Script([]), command=command, default_regions=("eu-west-1",)).regions == (
        "eu-west-3",
    )
    asked = Script(["us-east-2"])
    assert scope_from(given, asked, command=command).regions == ("us-east-2",)


def test_deployment_tools_are_only_asked_about_where_one_owns_a_chosen_function() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "function": ["shop"]})
    for stack, asked in (("web", True), ("", False)):
        tags = {function("shop").arn: {"aws:cloudformation:stack-name": stack}} if stack else {}
        script = Script([ENTER] * (2 if asked else 1))
        answers_from(given, snapshot(lane_snapshot(function("shop"), tags=tags)), script)
        assert not script.lines
        assert any("deployment tool" in prompt.text for prompt in script.seen) is asked


def test_a_function_that_is_not_there_is_told_before_anything_is_asked() -> None:
    given = from_flags({"site": "EU1", "region": ["eu-west-1"], "function": ["shpo"]})
    script = Script([])
    with pytest.raises(UsageError, match="did you mean shop"):
        answers_from(given, snapshot(lane_snapshot(function("shop"))), script)
    assert script.seen == []


def test_aws_default_region_is_used_unasked_and_suggested_when_asked() -> None:
    given = from_flags({"site": "EU1", "all": True})
    assert scope_from(given, None, default_regions=["eu-central-1"]).regions == ("eu-central-1",)
    assert scope_from(given, Script([ENTER]), default_regions=["eu-central-1"]).regions == ("eu-central-1",)


@pytest.mark.parametrize("command", ["policy", "undo", "apply"])
def test_commands_that_need_no_answers_miss_none(command: str) -> None:
    assert scope_from(Given(), None, command=command) == Scope()


words = st.text("abcdefghij-", min_size=1, max_size=8)
answers_strategy = st.builds(
    Answers,
    site=st.sampled_from(["datadoghq.com", "datadoghq.eu"]),
    regions=st.lists(st.sampled_from(["eu-west-1", "us-east-1"]), min_size=1, unique=True).map(tuple),
    selection=st.builds(
        Selection,
        names=st.lists(words, min_size=1, max_size=3, unique=True).map(tuple),
        tags=st.lists(st.tuples(words, words), max_size=2, unique=True).map(tuple),
        all=st.booleans(),
        state=st.sampled_from(["any", "uninstrumented"]),
    ),
    via=st.sampled_from(["forwarder", "extension"]),
    logs=st.booleans(),
    env=st.none() | words,
    service=st.none() | words,
    extra_tags=st.lists(st.tuples(words, words), max_size=2, unique=True).map(tuple),
    layer_version=st.sampled_from(["baseline", "latest", "none", "120"]),
    tracing=st.builds(
        Tracing,
        capture_payload=st.none() | st.booleans(),
        appsec=st.booleans(),
        apm_flush_deadline_ms=st.none() | st.integers(0, 9000),
    ),
    key_source=st.sampled_from(
        [KeySource(), KeySource(kind="ssm", value="arn:aws:ssm:eu-west-1:123456789012:parameter/dd")]
    ),
    forwarder_params=st.dictionaries(
        st.text("ABCabc", min_size=1, max_size=5), st.text(max_size=8), max_size=2
    ),
    conflicts=st.dictionaries(
        words.map(lambda w: f"/g/{w}:f"), st.sampled_from(["replace", "add", "skip"]), max_size=2
    ),
)


@for_all(answers_strategy)
def test_answers_survive_the_way_to_values_and_back(answers: Answers) -> None:
    assert answers_of(values_of(answers)) == answers


@for_all(answers_strategy)
def test_values_of_answers_are_accepted_as_flags(answers: Answers) -> None:
    assert answers_from(from_flags(values_of(answers)), None, None) == answers


def test_every_setting_reaches_the_answers_or_is_not_about_them() -> None:
    about_the_run = {
        "require_proof",
        "profile",
        "role_arn",
        "api_key_stdin",
        "api_key_file",
        "app_key_stdin",
        "app_key_file",
        "app_key_secret",
        "datadog_url",
        "macro_template_url",
        "wait",
        "verify",
        "invoke",
        "payload",
        "since",
        "custom_metric",
        "yes",
        "no_input",
        "dry_run",
        "output",
        "html",
        "config",
        "cost",
        "price",
        "rate",
        "state_dir",
        "state",
        "color",
        "no_color",
        "no_pager",
        "verbose",
        "debug",
    }
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:x"
    samples: dict[str, Value] = {s.key: ("x",) if s.is_list else "x" for s in TABLE}
    samples |= {s.key: True for s in TABLE if s.kind == "switch"}
    samples |= {s.key: s.choices[-1] for s in TABLE if s.kind == "choice"}
    samples |= {
        "tag": ("a=b",),
        "extra_tag": ("a:b",),
        "forwarder_param": ("A=b",),
        "conflict": ("/g:f=add",),
        "api_stage": ("shop/prod",),
        "price": ("logs_gb=1",),
        "rate": ("lambda=30",),
        "trace_sample_rate": "0.5",
    }
    samples |= {"forwarder_arn": (arn,), "apm_flush_deadline": 7}
    usual = answers_of({})
    samples |= {"on_conflict": "add", "logs": False, "traces": False, "enhanced_metrics": False}
    samples |= {"create_log_groups": False, "grant_key_access": False, "replace_log_group": False}
    silent = {key for key, value in samples.items() if answers_of({key: value}) == usual}
    assert silent == about_the_run


def owned_snapshot() -> Snapshot:
    owned = function("shop-dev-hello")
    tags = {owned.arn: {"STAGE": "dev", "aws:cloudformation:stack-name": "shop-dev"}}
    return snapshot(lane_snapshot(owned, tags=tags))


@pytest.mark.parametrize(
    ("at_hand", "offered", "taken"),
    [
        ("serverless.yml in this directory", ["source", "change", "skip"], "source"),
        ("", ["change", "skip"], "change"),
    ],
)
def test_the_source_is_offered_first_only_where_it_is_at_hand(
    at_hand: str, offered: list[str], taken: str
) -> None:
    script = Script([ENTER] * 12)
    answers = answers_from(
        from_flags({"all": True, "site": "US1", "region": ("eu-west-1",)}),
        owned_snapshot(),
        script,
        at_hand=lambda _snapshot, functions: at_hand if functions else "",
    )
    assert answers.owned == taken
    (asked,) = [prompt for prompt in script.seen if "deployment tool" in prompt.text]
    assert [choice.value for choice in asked.choices] == offered
    assert asked.choices[0].hint.startswith(at_hand)


def test_of_several_forwarders_in_a_region_a_person_chooses_one() -> None:
    old, new = forwarder("old", version="5.4.9"), forwarder("new", version="5.4.11")
    functions = tuple(function(each.name) for each in (old, new))
    seen = snapshot(lane_snapshot(functions=functions, forwarders=(old, new)))
    given = from_flags({"all": True, "via": "forwarder", "subscribe": "none", "log_source": ["lambda"]})

    def asked(*lines: object) -> tuple[Answers, Prompt]:
        script = Script(["everything", *[ENTER] * 5, *lines])
        answers = answers_from(given, seen, script, scope=Scope("datadoghq.com", ("eu-west-1",)))
        return answers, next(p for p in script.seen if "Which Forwarder" in p.text)

    answers, prompt = asked(ENTER)
    assert answers.forwarder_arns == (new.arn,)
    assert [choice.value for choice in prompt.choices] == [new.arn, old.arn]
    assert "only one in eu-west-1" in prompt.check([new.arn, old.arn])
    assert asked([old.arn])[0].forwarder_arns == (old.arn,)
    assert answers_from(given, seen, None, scope=Scope("datadoghq.com", ("eu-west-1",))).forwarder_arns == ()
