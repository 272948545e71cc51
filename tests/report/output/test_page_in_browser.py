"""The page in a real browser: sorts, filters, draws, and asks nobody for anything."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnsweep.report.__main__ import main
from tests.report.made_runs import Job, make_run
from tests.report.test_watching import wait_until, watching

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
errors = pytest.importorskip("selenium.common.exceptions")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="Chromium and its chromedriver are not installed"
)


@pytest.fixture(scope="module")
def page(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page")
    assert main([str(mixed), "--out", str(out)]) == 0
    return out / "index.html"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    logs = {"browser": "ALL", "performance": "ALL"}
    options.set_capability("goog:loggingPrefs", logs)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        driver.set_script_timeout(60)
        yield driver
    finally:
        driver.quit()


def _open(browser: Any, page: Path, width: int, scheme: str) -> None:
    """Open the page and wait until plotly is unpacked."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get_log("performance")  # what the browser asked itself for at its start
    browser.get(page.as_uri())
    browser.execute_async_script("const done = arguments[0]; ready.then(() => done());")


def _column(browser: Any, name: str) -> list[str]:
    code = """const names = [...document.querySelectorAll("#table th")].map((th) => th.textContent);
    return [...document.querySelectorAll("#table tbody tr")]
      .map((tr) => tr.children[names.indexOf(arguments[0])].textContent);"""
    return list(browser.execute_script(code, name))


def _click(browser: Any, name: str) -> None:
    code = """[...document.querySelectorAll("#table th button")]
      .find((button) => button.textContent === arguments[0]).click();"""
    browser.execute_script(code, name)


def _filter(browser: Any, text: str) -> None:
    box = browser.find_element("id", "filter")
    box.clear()
    box.send_keys(text or " ")


def _draw_all(browser: Any) -> int:
    code = """const done = arguments[0];
    Promise.all([...document.querySelectorAll(".plot")].map(plot))
      .then(() => done(document.querySelectorAll(".plot .main-svg").length));"""
    return int(browser.execute_async_script(code))


def _complaints(browser: Any) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] != "DEBUG"]


def _requests(browser: Any) -> set[str]:
    """Schemes of all addresses that the page asked for; Chromium's own first tab asks too."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [e for e in events if e["method"] == "Network.requestWillBeSent"]
    ours = [e["params"] for e in sent if not e["params"]["documentURL"].startswith("chrome:")]
    assert ours
    return {event["request"]["url"].split(":")[0] for event in ours}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_sorts_filters_and_draws_without_errors_or_requests(
    browser: Any, page: Path, width: int, scheme: str
) -> None:
    _open(browser, page, width, scheme)
    best = _column(browser, "test_accuracy")
    assert best[0] != "–"
    assert best == sorted(best, key=lambda cell: -float(cell.rstrip(" %").replace("–", "0")))
    _click(browser, "model")
    assert _column(browser, "model")[0] == "lenet"
    _click(browser, "model")
    assert _column(browser, "model")[0] == "simple"
    _filter(browser, "model=resnet test_accuracy>0.5 status=completed")
    assert set(_column(browser, "model")) == {"resnet"}
    assert "–" not in _column(browser, "test_accuracy")
    _filter(browser, "damaged")
    assert len(_column(browser, "folder")) == 1
    _filter(browser, "nothing-has-this")
    assert browser.find_element("id", "where").text == "no run fits"
    assert _draw_all(browser) > 30
    overflow = "return document.documentElement.scrollWidth - innerWidth"
    assert browser.execute_script(overflow) <= 0
    assert _complaints(browser) == []
    assert _requests(browser) <= {"file", "data", "blob"}


def test_pages_turn_and_columns_can_be_chosen(browser: Any, page: Path) -> None:
    _open(browser, page, 1280, "light")
    first = _column(browser, "folder")
    assert len(first) == 50
    browser.find_element("id", "next").click()
    assert not {*first} & {*_column(browser, "folder")}
    choose = """const label = [...document.querySelectorAll("#columns label")]
      .find((label) => label.textContent.trim() === arguments[0]);
    label.firstChild.click();"""
    browser.execute_script(choose, "val_loss")
    assert len(_column(browser, "val_loss")) > 1


def test_printing_draws_everything_in_ink(browser: Any, page: Path) -> None:
    _open(browser, page, 1280, "dark")
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    drawn = "return document.querySelectorAll('.plot .main-svg').length > 30"
    assert browser.execute_script(drawn)
    browser.execute_cdp_cmd("Page.printToPDF", {})
    assert _complaints(browser) == []


def test_an_accuracy_of_one_or_nought_is_a_percentage_too(browser: Any, tmp_path: Path) -> None:
    for name, accuracy in (("best", 1.0), ("worst", 0.0)):
        result = make_run(tmp_path / "runs" / name, Job()) / "result.json"
        record = json.loads(result.read_text()) | {"test_accuracy": accuracy}
        result.write_text(json.dumps(record))
    assert main([str(tmp_path / "runs"), "--out", str(tmp_path / "page")]) == 0
    _open(browser, tmp_path / "page" / "index.html", 1280, "light")
    assert _column(browser, "test_accuracy") == ["100.00 %", "0.00 %"]


@pytest.mark.parametrize("width", [390, 820, 1300])
def test_nothing_overflows_and_legends_cover_nothing(browser: Any, page: Path, width: int) -> None:
    _open(browser, page, width, "light")
    _draw_all(browser)
    code = """const outside = [...document.querySelectorAll("main *")].filter((node) =>
      !node.closest(".scroll, .plot, details:not([open])")
      && node.getBoundingClientRect().right > innerWidth + 1);
    const box = (node) => node.getBoundingClientRect();
    const crossed = [...document.querySelectorAll(".legend")].filter((node) =>
      box(node).top < box(node.previousElementSibling).bottom - 1);
    return [outside.length, crossed.length, document.querySelectorAll(".legend").length];"""
    outside, crossed, legends = browser.execute_script(code)
    assert (outside, crossed) == (0, 0)
    assert legends > 5


def test_a_legend_hides_and_shows_what_it_names(browser: Any, page: Path) -> None:
    _open(browser, page, 1300, "light")
    _draw_all(browser)
    code = """const list = document.querySelector(".legend"), entry = list.querySelector("button");
    entry.click();
    const traces = list.previousElementSibling.data, name = entry.textContent.slice(1);
    return [traces.filter((t) => t.visible === false).length,
            traces.filter((t) => (t.legendgroup || t.name) === name).length];"""
    hidden, named = browser.execute_script(code)
    assert hidden == named > 0


def test_text_with_a_unit_sorts_as_the_number_it_is(browser: Any, tmp_path: Path) -> None:
    rates = [1, 0.1, 0.01, 0.001, 1e-4]
    for number, value in enumerate(("9 s", "10 s", "1e-3", "0.5 s", "2 min")):
        job = Job(seed=number, changes={"optim.momentum": value, "optim.lr": rates[number]})
        make_run(tmp_path / "runs" / str(number), job)
    assert main([str(tmp_path / "runs"), "--out", str(tmp_path / "page")]) == 0
    _open(browser, tmp_path / "page" / "index.html", 1280, "light")
    _click(browser, "optim.momentum")
    assert _column(browser, "optim.momentum") == ["2 min", "10 s", "9 s", "0.5 s", "1e-3"]
    _click(browser, "optim.lr")
    assert [float(cell) for cell in _column(browser, "optim.lr")] == rates


def test_a_folder_can_be_copied(browser: Any, page: Path) -> None:
    _open(browser, page, 1280, "light")
    code = """const [button, done] = [document.querySelector("#table .copy"), arguments[0]];
    button.click();
    setTimeout(() => done([button.textContent, button.previousSibling.textContent]), 300);"""
    told, folder = browser.execute_async_script(code)
    assert told == "copied"
    assert "/" in folder


def test_a_watched_page_shows_new_runs_and_keeps_what_was_chosen(
    browser: Any, tmp_path: Path
) -> None:
    top = tmp_path / "multirun"
    make_run(top / "0", Job())
    page = top / "report" / "index.html"
    with watching(tmp_path, "--format", "html") as process:
        wait_until(page.is_file, process)
        _open(browser, page, 1280, "light")
        assert "; this page reloads itself every 2 s" in browser.find_element("id", "watch").text
        _filter(browser, "model=lenet")
        make_run(top / "1", Job("lenet"))
        wait_until(lambda: _rows(browser) == 1, process)
        assert browser.find_element("id", "filter").get_attribute("value").strip() == "model=lenet"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    time.sleep(3)
    assert "reloads itself" not in browser.find_element("id", "watch").text
    browser.execute_script("document.stays = true")
    time.sleep(3)
    assert browser.execute_script("return document.stays") is True


def _rows(browser: Any) -> int:
    """Rows of the table; none while the page is being loaded."""
    try:
        return len(_column(browser, "folder"))
    except errors.WebDriverException:
        return 0
