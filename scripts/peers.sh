#!/usr/bin/env bash
# Brings the real programs that tests talk to: a browser and an IMAP server. Root gets Debian's packages, others what can be had without.
set -uo pipefail
cd "$(dirname "$0")/.."

has_browser() { .venv/bin/python -m tests.browser.programs >/dev/null 2>&1; }
has_dovecot() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v dovecot >/dev/null; }

wanted=()
has_browser || wanted+=(chromium fonts-dejavu-core)
has_dovecot || wanted+=(dovecot-imapd)
if [ ${#wanted[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${wanted[*]} ..."
    export DEBIAN_FRONTEND=noninteractive
    (apt-get -o DPkg::Lock::Timeout=300 update -qq &&
        apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${wanted[@]}") </dev/null >/dev/null ||
        echo "The packages could not be installed; going on with what is there." >&2
fi
if ! has_browser; then
    echo "Installing Playwright's own browser ..."
    timeout 600 .venv/bin/python -m playwright install chromium </dev/null || true
fi
.venv/bin/python -m tests.browser.programs >/dev/null
