"""Links lead to the chosen site, and to the right place there."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from ddsetup.facts.catalog import sites
from ddsetup.facts.links import (
    FUNCTION_PAGES,
    function_links,
    links,
    metric_link,
    settings_links,
)
from ddsetup.model.errors import UsageError
from tests.builders import function


@pytest.mark.parametrize("site", [site.site for site in sites()])
def test_every_link_leads_to_the_chosen_site(site: str) -> None:
    app = next(s.app_url for s in sites() if s.site == site)
    found = (*links(site, [function("Orders")], ["111122223333"]).values(), *settings_links(site).values())
    assert len(set(found)) == len(found) > 10
    assert all(link.startswith(f"{app}/") for link in found)


def test_the_pages_of_the_guide_are_there() -> None:
    found = links("datadoghq.eu")
    assert found["dashboard AWS Lambda"] == "https://app.datadoghq.eu/screen/integration/98/aws-lambda"
    assert found["dashboard enhanced metrics"].endswith(
        "/screen/integration/30306/aws-lambda-enhanced-metrics"
    )
    assert found["serverless"].endswith("/functions?cloud=aws&entity_view=lambda_functions")
    assert parse_qs(urlsplit(found["error patterns"]).query) == {
        "query": ["source:lambda status:error"],
        "viz": ["pattern"],
        "clustering_pattern_field_path": ["message"],
    }


def test_logs_are_those_of_the_accounts() -> None:
    query = parse_qs(urlsplit(links("datadoghq.com", (), ["1", "2"])["logs"]).query)["query"]
    assert query == ["source:lambda aws_account:(1 OR 2)"]
    query = parse_qs(urlsplit(links("datadoghq.com", (), ["1"])["logs"]).query)["query"]
    assert query == ["source:lambda aws_account:1"]


def test_a_functions_pages_use_datadogs_lower_case_and_the_consoles_own() -> None:
    found = function_links("datadoghq.com", function("Orders", region="us-gov-west-1"))
    assert "selection=aws-lambda-functions%2Borders%2Bus-gov-west-1%2B111122223333" in found["serverless"]
    assert "functionname%3Aorders" in found["logs"]
    assert found["AWS console"] == (
        "https://us-gov-west-1.console.amazonaws-us-gov.com/lambda/home?region=us-gov-west-1#/functions/Orders"
    )


def test_many_functions_do_not_make_a_thousand_links() -> None:
    found = links("datadoghq.com", [function(f"f{i}") for i in range(1000)])
    assert sum(name.startswith("function ") for name in found) == FUNCTION_PAGES


def test_names_are_quoted() -> None:
    assert (
        metric_link("datadoghq.com", "a.b c&d")
        == "https://app.datadoghq.com/metric/summary?filter=a.b%20c%26d"
    )


def test_an_unknown_site_is_refused() -> None:
    with pytest.raises(UsageError, match=r"datadoghq\.org"):
        links("datadoghq.org")
