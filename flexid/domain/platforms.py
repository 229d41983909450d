"""What kind of device a browser runs on."""

from __future__ import annotations

from typing import Literal

Platform = Literal["android", "ios", "desktop"]


def platform_of(user_agent: str) -> Platform:
    """Return the platform as a browser's User-Agent tells it; what says nothing of a phone is a desktop."""
    if "Android" in user_agent:
        return "android"
    if any(device in user_agent for device in ("iPhone", "iPad", "iPod")):
        return "ios"
    return "desktop"
