"""The report page in Debian's Chromium, driven by Playwright: `make browser` installs both and runs these."""
