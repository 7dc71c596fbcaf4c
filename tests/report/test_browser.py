"""What a browser and a reader of screens make of the pages; no kernel, results of the tests' own.

Whole reports with hostile words are opened in tests/report/test_hostile.py; a whole ``assess`` in
tests/test_assess.py, and by hand after a change of the pages.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from otrack_risk.report import pack, page

sys.path.insert(0, str(Path(__file__).parent))
import made

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.needs("chromium")

HOSTILE = '"><img src=x onerror="window.ran=1"><script>window.ran=1</script><a href=\'javascript:window.ran=1\'>x</a>'
LONG = "a_very_long_name_of_a_field_that_has_no_blank_in_it_" * 3
SHOWN = {"plain": (made.Crowd(), made.Crowd("year 8", columns=12)), "hostile": (made.Crowd(HOSTILE), made.Crowd(LONG))}


@pytest.fixture(scope="module")
def browser():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """The overview and a page of each report, by name."""
    found = {}
    for name, shown in SHOWN.items():
        for kind, synthetic in (("synthetic", True), ("real", False)):
            words = HOSTILE if name == "hostile" else "A report"
            about = made.about(synthetic=synthetic, title=words, line=words, footer=(words,), notes=(words,))
            one = page.page("breach_impact", made.notebook(*shown))
            folder = tmp_path_factory.mktemp(f"{name}_{kind}")
            first = page.overview([one], about, [("How many?", "k_anonymity"), *pack.QUESTIONS], {words: words})
            for file, text in (("index.html", first), ("breach_impact.html", page.render(one, [one], about))):
                (folder / file).write_text(text, encoding="utf-8")
                found[f"{name} {kind} {file}"] = folder / file
    return found


LOOKED_AT = [f"{n} {f}" for n in ("plain real", "hostile synthetic") for f in ("index.html", "breach_impact.html")]


@pytest.mark.parametrize("name", LOOKED_AT)
def test_axe_finds_nothing_wide_or_narrow_and_nothing_is_wider_than_the_screen(browser, pages, name):
    # axe is a script: only for it the page's own ban on scripts is lifted.
    with browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True) as context:
        tab = context.new_page()
        tab.goto(pages[name].as_uri())
        tab.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        for width in (1280, 375):
            tab.set_viewport_size({"width": width, "height": 800})
            found = axe.Axe().run(tab).response["violations"]
            assert [(fault["id"], fault["nodes"][0]["target"]) for fault in found] == []
            assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["hostile real index.html", "hostile synthetic breach_impact.html"])
def test_no_script_of_a_label_runs_with_or_without_the_pages_ban_on_scripts(browser, pages, name):
    for bypass in (False, True):
        with browser.new_context(bypass_csp=bypass) as context:
            tab, asked = context.new_page(), []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.on("dialog", lambda dialog, asked=asked: asked.append(dialog.message))
            tab.goto(pages[name].as_uri())
            assert tab.evaluate("[window.ran, document.querySelectorAll('script, [onerror], [onload]').length]") == [
                None,
                0,
            ]
            assert [url for url in asked if not url.startswith(("data:", pages[name].as_uri()))] == []


def test_the_keyboard_reaches_everything_in_the_order_of_reading_and_the_first_stop_skips_to_the_page(browser, pages):
    with browser.new_context(bypass_csp=True) as context:
        tab = context.new_page()
        tab.goto(pages["plain synthetic breach_impact.html"].as_uri())
        stops = "[...document.querySelectorAll('a[href], summary, [tabindex=\"0\"]')]"
        count = tab.evaluate(f"{stops}.filter(e => e.checkVisibility()).length")
        order = []
        for _ in range(count):
            tab.keyboard.press("Tab")
            order.append(tab.evaluate(f"{stops}.filter(e => e.checkVisibility()).indexOf(document.activeElement)"))
        assert order == list(range(count))
        tab.reload()
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Skip to the page"
        assert tab.evaluate("document.activeElement.getBoundingClientRect().left") >= 0  # seen once it is reached
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "main"


def test_a_page_has_one_banner_one_main_one_foot_and_named_places_to_go(browser, pages):
    with browser.new_context(bypass_csp=True) as context:
        tab = context.new_page()
        tab.goto(pages["plain real breach_impact.html"].as_uri())
        for part in ("body > header", "body > main", "body > footer", "nav[aria-label]", "[role=alert]", "h1"):
            assert tab.locator(part).count() == 1, part
        assert tab.evaluate("[...document.querySelectorAll('table')].every(t => t.caption && t.tHead)")
        assert tab.evaluate("[...document.querySelectorAll('figure')].every(f => f.querySelector('figcaption'))")
        assert tab.evaluate("[...document.images].every(i => i.naturalWidth > 0 && i.alt.includes('Its numbers are'))")


def test_in_print_nothing_is_wider_than_the_paper_and_what_is_explained_is_open(browser, pages):
    with browser.new_context(viewport={"width": 680, "height": 1000}, bypass_csp=True) as context:  # 180 mm at 96 dpi
        tab = context.new_page()
        tab.emulate_media(media="print")
        tab.goto(pages["plain synthetic breach_impact.html"].as_uri())
        assert tab.evaluate("[...document.querySelectorAll('table, img')].every(e => e.offsetWidth <= 680)")
        assert tab.evaluate("document.querySelector('details dl').checkVisibility({contentVisibilityAuto: true})")
        assert not tab.evaluate("document.querySelector('nav').checkVisibility()")
        printed = tab.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed  # A4 in points
