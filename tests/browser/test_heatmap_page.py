"""Finding where it is slow."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_grid_of_countries_and_devices_for_each_network(visit: Visit) -> None:
    await visit.open("/?range=6h")
    await visit.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Heatmap").click()
    grid = visit.page.get_by_role("table")
    await expect(grid.get_by_role("columnheader", name=re.compile("^(wifi|cell)$"))).to_have_count(2)
    await expect(grid.get_by_role("rowheader").first).to_contain_text("Germany (DE)")
    cells = grid.get_by_role("button", name=re.compile(r"^Germany \(DE\), low devices, wifi: p95 .* spans"))
    await expect(cells).to_have_count(1)
    assert visit.last("heatmap")["facet"] == ["network"]


async def test_a_click_opens_the_figures_of_the_group(visit: Visit) -> None:
    await visit.open("/?page=heatmap&range=6h&version=5.2.0")
    await visit.page.get_by_role("button", name=re.compile(r"^United States \(US\), high devices, cell")).click()
    await expect(visit.page).to_have_url(re.compile(r"version=5\.2\.0&country=US&device_class=high&network=cell"))
    await expect(visit.page.get_by_role("heading", name="Trend")).to_be_visible()
    await visit.page.go_back()
    await expect(visit.page.get_by_role("table")).to_be_visible()


async def test_another_percentile_or_phase_is_a_choice_away(visit: Visit) -> None:
    await visit.open("/?page=heatmap&range=6h")
    await visit.page.get_by_text("p50", exact=True).click()
    await visit.page.get_by_label("Measure").first.click()
    await visit.page.get_by_role("option", name="TLS").click()
    await expect(visit.page.get_by_role("heading", name="TLS at p50 by country, device and network")).to_be_visible()
    assert (visit.last("heatmap")["metric"], visit.last("heatmap")["q"]) == (["tls"], ["0.5"])


async def test_of_a_route_samples_answer_and_it_is_said(visit: Visit) -> None:
    await visit.open("/?page=heatmap&range=6h&route=GET+api.shop.example%2Fcart")
    await expect(visit.page.get_by_text("weighted samples answer")).to_be_visible()
    await expect(visit.page.get_by_text("≈ estimated")).to_be_visible()


@pytest.mark.parametrize("site", [15], indirect=True)
async def test_groups_of_too_few_sessions_are_hatched_and_counted(visit: Visit) -> None:
    await visit.open("/?page=heatmap&range=6h")
    await expect(visit.page.locator("td.nobody").first).to_be_visible()
    await expect(visit.page.get_by_text(re.compile(r"^\d+ left out$"))).to_be_visible()
