"""Uses the dashboard as a person does, in headless Chromium, and says what is wrong with it.

dashboard.py BASE SCREENSHOTS            where nobody signs in
dashboard.py BASE SCREENSHOTS TOKENS     with tokens: viewer,operator

Prints "ok" at the end, or a traceback. Screenshots go to the directory SCREENSHOTS.
"""
import json
import sys
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

base, screenshots = sys.argv[1], sys.argv[2]
tokens = sys.argv[3].split(",") if len(sys.argv) > 3 else None


def browser():
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,1000",
                 "--no-proxy-server", "--disable-background-networking", "--disable-component-update"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))


def open_page(path):
    driver.get(base + path)
    assert driver.find_elements(By.CSS_SELECTOR, "main"), path


def shot(name):
    driver.save_screenshot(f"{screenshots}/{name}.png")


def one(selector, within=None):
    found = (within or driver).find_elements(By.CSS_SELECTOR, selector)
    assert len(found) >= 1, f"no {selector} at {driver.current_url}"
    return found[0]


def steady(look):
    """A live page may replace a part between finding it and using it: then once more."""
    for _ in range(5):
        try:
            return look()
        except StaleElementReferenceException:
            pass
    return look()


def text(selector="main"):
    return steady(lambda: one(selector).text)


def submit(find):
    """Clicks what is found, and waits for the page after it."""
    find = find if callable(find) else lambda selector=find: one(selector)
    marker = one("html").id
    steady(lambda: find().click())
    WebDriverWait(driver, 20).until(lambda d: d.find_element(By.CSS_SELECTOR, "html").id != marker)


def wait_for(what, condition):
    WebDriverWait(driver, 30, 0.1, [StaleElementReferenceException]).until(lambda d: condition(), what)


def lane(name):
    rows = driver.find_elements(By.CSS_SELECTOR, "[data-live=lanes] tbody tr")
    return next(row for row in rows if row.text.startswith(name))


def check_logs():
    severe = [e for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
    assert not severe, severe
    host = urllib.parse.urlsplit(base).netloc
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = urllib.parse.urlsplit(message["params"]["request"]["url"])
            if url.scheme in ("http", "https", "ws", "wss"):
                assert url.netloc == host, f"asked another host: {url.geturl()}"


def post(path, fields):
    driver.execute_script("""
        const body = new URLSearchParams(arguments[1]);
        body.set("csrf", document.querySelector("[name=csrf]").value);
        fetch(arguments[0], {method: "POST", body});
        """, path, fields)


def live_counts_and_removals():
    # The badge comes with the first case and goes with the last, and what is news is read out.
    def badge():
        return one("nav .badge").get_attribute("textContent")
    open_page("/orders/later")
    assert badge() == "" and not one("nav .badge").is_displayed(), badge()
    post("/orders/later/resolve", {"status": "review", "note": "look at it", "back": "row", "seen_status": "paid"})
    wait_for("the badge counts the case", lambda: badge() == "1" and one("nav .badge").is_displayed())
    assert "Someone put it here" in one("#news").get_attribute("textContent")
    seen = {"seen_status": "review", "seen_reason": "MANUAL"}
    post("/orders/later/resolve", {"status": "closed", "note": "so be it", "back": "row", **seen})
    wait_for("the badge goes", lambda: badge() == "" and not one("nav .badge").is_displayed())
    # A row that goes while one looks at it is no lost connection.
    open_page("/orders/many-60")
    driver.execute_script('fetch("/v1/orders/many-60", {method: "DELETE"})')
    wait_for("that it is gone is told", lambda: one("#gone").is_displayed())
    assert not one("#connection").is_displayed()
    driver.get_log("browser")  # The missing row is there, as it must be.


def nothing_is_wider_than_the_screen():
    # A reason and an address without a space; a lane's state and its button are seen on a phone, too.
    open_page("/")
    post("/lanes/odd/pause", {"why": "see https://tickets.example/" + "x" * 900})
    wait_for("the pause is told", lambda: "tickets.example" in text("[data-live=alerts]"))
    for width in (360, 1280):
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500})
        for path in ("/timers", "/timers/t-long", "/"):
            open_page(path)
            taken = driver.execute_script("return document.scrollingElement.scrollWidth")
            assert taken <= width, f"{path} is {taken} wide on a screen of {width}"
        for part in ("[data-name=State]", "button"):
            edge = steady(lambda: driver.execute_script(
                "return arguments[0].getBoundingClientRect().right", one(part, lane("odd"))))
            assert edge <= width, f"{part} ends at {edge} on a screen of {width}"
        shot(f"long-{width}")
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    post("/lanes/odd/resume", {})
    wait_for("the lane runs", lambda: "paused" not in text("[data-live=alerts]"))


def anyone():
    # At a glance: what needs me?
    open_page("/")
    shot("overview")
    assert "waits for a human" in text("[data-live=alerts]"), text("[data-live=alerts]")
    lanes = text("[data-live=lanes]")
    assert "trial" in lanes and "odd" in lanes, lanes

    # By keyboard alone: the first stop skips to the content.
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.get_attribute("class") == "skip"

    # The order that needs a human: found, understood, decided, and in its history.
    submit("[data-live=alerts] .hand a")
    assert driver.current_url.endswith("/review")
    case = one("article.case")
    assert "The amounts differ." in case.text and "0.05 USD" in case.text and "5.01 USD" in case.text, case.text
    shot("review")
    summary = one("summary", case)
    summary.send_keys(Keys.ENTER)
    choice = Select(one("select[name=status]", case))
    assert choice.first_selected_option.text == "Choose…", choice.first_selected_option.text
    assert "asks again from the start" in one("form small", case).text
    choice.select_by_value("closed")
    one("textarea", case).send_keys("refunded by hand <b>&")
    shot("decide")
    submit(lambda: one("button.primary", case))
    assert "Decided" in text(".flash")
    assert "Nothing waits for you" in text(), text()
    open_page("/orders/odd-1")
    assert "local decided: closed: “refunded by hand <b>&”" in text(".timeline"), text(".timeline")
    assert text(".summary").startswith("closed")
    shot("row")

    # A row is told as a story.
    open_page("/orders/paid-1")
    assert "on the 1st check, marked paid" in text(".timeline"), text(".timeline")

    # What the application stored is text, whatever it holds.
    hostile = '<img src=x onerror="window.pwned=1">/é %'
    open_page("/find?q=" + urllib.parse.quote(hostile))
    assert driver.find_element(By.TAG_NAME, "h1").text == "Order " + hostile, driver.page_source
    assert driver.execute_script("return window.pwned") is None
    submit(".actions form button")
    assert "It will be checked now" in text(".flash")

    # Lists: filters, pages, search.
    open_page("/orders")
    rows = len(driver.find_elements(By.CSS_SELECTOR, ".rows tbody tr"))
    assert rows == 50, rows
    shot("orders")
    submit("a[rel=next]")
    assert driver.find_elements(By.CSS_SELECTOR, ".rows tbody tr")
    one("[name=id]").send_keys("odd")
    submit(".filters button")
    assert len(driver.find_elements(By.CSS_SELECTOR, ".rows tbody tr")) == 1
    Select(one("[name=status]")).select_by_value("paid")
    submit(".filters button")
    assert "No order is like that" in text()
    for path in ("/orders?status=due", "/uploads", "/uploads/u-1", "/timers", "/timers/t-1", "/deliveries"):
        open_page(path)
        shot(path.strip("/").replace("/", "-").replace("?", "-"))

    # Lanes: paused with a reason that everyone sees, and resumed.
    open_page("/")
    steady(lambda: one("summary", lane("odd")).click())
    one("[name=why]", lane("odd")).send_keys("maintenance")
    submit(lambda: one("form button", lane("odd")))
    assert "odd is paused by local: maintenance" in text("[data-live=alerts]"), text("[data-live=alerts]")
    submit(lambda: one("button", lane("odd")))
    assert "paused" not in text("[data-live=alerts]")

    # Live: the page changes without being loaded again, and says so when it cannot.
    open_page("/orders/later")
    driver.execute_script("window.same = true")
    assert text(".summary").startswith("pending"), text(".summary")
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    wait_for("the lost connection is told", lambda: one("#connection").is_displayed())
    driver.get_log("browser")  # The failed request is there, as it must be.
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**offline, "offline": False})
    wait_for("the connection is back", lambda: not one("#connection").is_displayed())
    one(".actions summary").click()
    one("textarea").send_keys("half a thought")
    driver.execute_script("""
        const csrf = document.querySelector("[name=csrf]").value;
        fetch("/orders/later/nudge", {method: "POST", body: new URLSearchParams({csrf, back: "row"})});
        """)
    wait_for("the order is paid before our eyes", lambda: text(".summary").startswith("paid"))
    assert driver.execute_script("return window.same") is True
    assert one("textarea").get_attribute("value") == "half a thought"
    driver.get_log("browser")

    live_counts_and_removals()
    nothing_is_wider_than_the_screen()

    # In the dark, and on a phone.
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    for path in ("/", "/orders/paid-1"):
        open_page(path)
        colour = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert max(int(n) for n in colour[4:-1].split(",")) < 60, colour
        shot("dark-" + (path.strip("/").replace("/", "-") or "overview"))
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
    for path in ("/", "/review", "/orders", "/orders/paid-1", "/uploads", "/timers/t-1", "/deliveries"):
        open_page(path)
        width = driver.execute_script("return document.scrollingElement.scrollWidth")
        assert width <= 390, f"{path} is {width} wide on a phone"
        shot("phone-" + (path.strip("/").replace("/", "-") or "overview"))
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    # What is not there is said, in the same frame.
    driver.get(base + "/orders/nothing")
    assert "There is no such order." in text() and one("nav a")
    driver.get_log("browser")
    driver.get(base + "/nope")
    assert "There is no such page." in text() and one("nav a")
    driver.get_log("browser")

    # Without scripts.
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    open_page("/orders/later")
    submit(".actions form button")
    assert "It will be checked now" in text(".flash")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def with_tokens(viewer, operator):
    open_page("/orders/paid-1")
    assert "/sign-in?back=" in driver.current_url
    shot("sign-in")
    one("[name=token]").send_keys("wrong")
    submit("button")
    assert "That is no token" in text(".flash")
    driver.get_log("browser")  # The refusal is there, as it must be.
    one("[name=token]").send_keys(viewer)
    submit("button")
    assert driver.current_url == base + "/orders/paid-1", driver.current_url
    assert not driver.find_elements(By.CSS_SELECTOR, ".actions")
    cookie = driver.get_cookie("reconciled_session")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict", cookie
    assert viewer not in cookie["value"]
    submit("header button")
    assert driver.current_url.endswith("/sign-in") and not driver.get_cookies()
    one("[name=token]").send_keys(operator)
    submit("button")
    open_page("/orders/paid-1")
    submit(".actions form button")
    open_page("/orders/paid-1")
    assert "ops asked for a check at once" in text(".timeline"), text(".timeline")


driver = browser()
try:
    if tokens:
        with_tokens(*tokens)
    else:
        anyone()
    check_logs()
finally:
    driver.quit()
print("ok")
