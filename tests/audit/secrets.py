"""detect-secrets: keys and passwords of somebody in a file of the repository."""

from __future__ import annotations

import subprocess

from audit.findings import ROOT, Finding
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

RECOGNIZED = (
    *(
        "ArtifactoryDetector",
        "AWSKeyDetector",
        "AzureStorageKeyDetector",
        "BasicAuthDetector",
        "DiscordBotTokenDetector",
    ),
    *("GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector"),
    *("SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector"),
)
"""What has a shape of its own. Words beside `password` would name every test that signs in."""
TEXT = 1 << 20
"""Bytes; larger files are pictures and sounds."""


def kept_secrets() -> list[Finding]:
    """Return what looks like a secret in the files that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.split("\0") if name and _is_text(name)]
    with transient_settings({"plugins_used": [{"name": name} for name in RECOGNIZED]}):
        return [
            Finding(found.type, name, "looks like a secret", found.line_number)
            for name in names
            for found in scan_file(str(ROOT / name))
        ]


def _is_text(name: str) -> bool:
    path = ROOT / name
    return path.is_file() and path.stat().st_size <= TEXT and b"\0" not in path.read_bytes()[:8192]
