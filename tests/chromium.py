"""How the tests start Chromium: the system's own, without a look at the outside world."""

# A name of plain http that is not this machine's: browsers send no Fetch Metadata there.
ELSEWHERE = "shop.lan"

# The same engine without the window around it: for the same page two thirds of the work.
EXECUTABLE = "/usr/bin/chromium-headless-shell"
# It blocks cookies of third parties, in every context made anew; the one above cannot.
WHOLE = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
]
