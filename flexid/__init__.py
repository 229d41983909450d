"""flexid: the account manager that stands beside a Flexisip SIP server."""
