"""The report as a reader sees it: opened from a file, in light, in dark, on a phone and on paper."""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from seqdl.report.build import build_report

pytestmark = pytest.mark.browser
WIDTHS = {"light": 1280, "dark": 1280, "phone": 390}


def _fixture_module() -> Any:
    """Return tests/report/conftest.py, which knows how to write a run folder."""
    spec = importlib.util.spec_from_file_location("report_fixture", Path(__file__).parents[1] / "report" / "conftest.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(_fixture_module().write_run(tmp_path_factory.mktemp("runs") / "reb1"))


@pytest.fixture
def opened(browser, page):
    """Open the page anew, in light, at the width of a desk."""
    show(browser, page, "light")
    return browser


def show(browser, page: Path, look: str, *, media: str = "screen") -> None:
    scheme = {"name": "prefers-color-scheme", "value": "dark" if look == "dark" else "light"}
    still = {"name": "prefers-reduced-motion", "value": "reduce"}  # so that a click does not meet a page that is still scrolling
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme, still]})
    size = {"width": WIDTHS.get(look, 720), "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(page.as_uri())


def picture(browser, path: Path) -> Path:
    """Take a screenshot of the whole page."""
    width, height = browser.execute_script("return [innerWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(shot["data"]))
    return path


def column(browser, heading: str) -> list[str]:
    """Return the sorting values of one column of the motif table, from top to bottom."""
    return browser.execute_script(
        """const table = document.querySelector("table.motifs");
        const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.trim().startsWith(arguments[0]));
        return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.value);""",
        heading,
    )


def heading(browser, name: str):
    return next(cell for cell in browser.find_elements("css selector", "table.motifs th") if cell.text.strip().startswith(name))


def test_the_page_opens_from_a_file_without_an_error_and_asks_for_nothing_else(browser, page):
    browser.get_log("performance")
    browser.get_log("browser")
    show(browser, page, "light")
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {event["params"]["request"]["url"].split("#")[0] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith(("data:", "chrome:"))} == {page.as_uri()}  # chrome: is the browser's own start page
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.compatMode") == "CSS1Compat"
    assert browser.title == "Reb1 – seqdl report"


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_page_fits_the_screen_and_can_be_read(browser, page, look, tmp_path):
    show(browser, page, look)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert picture(browser, tmp_path / f"{look}.png").stat().st_size > 50_000
    assert unreadable(browser) == []


def unreadable(browser) -> list[str]:
    """Return texts whose contrast with what lies behind them is below 4.5 to 1 (WCAG 2.2, AA)."""
    return browser.execute_script(
        r"""
        const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
        const light = ([r, g, b]) => {
          const part = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
        };
        const behind = (element) => {
          for (let e = element; e; e = e.parentElement) {
            const colour = channels(getComputedStyle(e).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
          }
          return [255, 255, 255];
        };
        const found = new Set();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
          const element = walker.currentNode.parentElement;
          const words = walker.currentNode.textContent.trim();
          if (!words || !element.getClientRects().length || element.closest(".skip, title, script, style")) continue;
          const style = getComputedStyle(element);
          const ink = channels(element.ownerSVGElement ? style.fill : style.color);
          const [a, b] = [light(ink), light(behind(element))];
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < 4.5) found.add(`${ratio.toFixed(2)} ${element.className.baseVal ?? element.className} ${words.slice(0, 30)}`);
        }
        return [...found];"""
    )


def test_the_page_prints_whole_on_white_even_in_dark_mode(browser, page, tmp_path):
    show(browser, page, "dark", media="print")
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    show(browser, page, "print", media="print")
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth + 1")
    picture(browser, tmp_path / "print.png")
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    (tmp_path / "print.pdf").write_bytes(base64.b64decode(printed["data"]))
    assert (tmp_path / "print.pdf").read_bytes().startswith(b"%PDF")


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_round(opened):
    button = heading(opened, "Bits").find_element("tag name", "button")
    button.click()
    bits = [float(value) for value in column(opened, "Bits")]
    assert bits == sorted(bits, reverse=True)
    assert heading(opened, "Bits").get_attribute("aria-sort") == "descending"
    assert heading(opened, "#").get_attribute("aria-sort") is None
    button.click()
    bits = [float(value) for value in column(opened, "Bits")]
    assert bits == sorted(bits)


def test_unknown_values_stay_last_whichever_way_the_table_is_sorted(opened):
    button = heading(opened, "q-value").find_element("tag name", "button")
    for direction in (1, -1):
        button.click()
        values = column(opened, "q-value")
        known = [float(value) for value in values if value]
        assert values[len(known) :] == [""] * (len(values) - len(known))
        assert len(known) < len(values)
        assert known == sorted(known, reverse=direction < 0)


def test_the_table_is_sorted_by_the_keyboard_alone(opened):
    from selenium.webdriver.common.keys import Keys

    button = heading(opened, "Best match").find_element("tag name", "button")
    opened.execute_script("arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)
    names = column(opened, "Best match")
    assert [name for name in names if name] == sorted((name for name in names if name), key=str.lower)
    assert opened.execute_script("return document.activeElement === arguments[0]", button)


def test_rows_and_logos_stay_together_when_sorted(opened):
    rows = """const rows = document.querySelectorAll("table.motifs tbody tr");
        return Object.fromEntries([...rows].map((row) => [row.cells[0].textContent, row.textContent]));"""
    before = opened.execute_script(rows)
    heading(opened, "Importance").find_element("tag name", "button").click()
    assert opened.execute_script(rows) == before


def test_a_long_table_shows_its_best_rows_first_and_all_when_asked(opened):
    shown = "return [...document.querySelectorAll('table.motifs tbody tr')].filter((row) => row.offsetHeight).length"
    button = opened.find_element("css selector", ".more")
    assert (opened.execute_script(shown), button.text) == (12, "Show all 20")
    button.click()
    assert (opened.execute_script(shown), button.get_attribute("aria-expanded")) == (20, "true")
    button.click()
    assert opened.execute_script(shown) == 12


def test_the_sections_are_reached_from_the_contents(opened):
    for link in opened.find_elements("css selector", ".contents a"):
        assert opened.find_element("id", link.get_attribute("href").partition("#")[2]).is_displayed()
