"""linphone-daemon, which sends SIP messages for us."""
