"""A flexid with made-up customers: Example Telecom, its staff, its users, and two smaller Spaces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg2
from attrs import define, field
from support.flexid_process import Caller, Flexid, wait_until
from support.mail import mails
from support.sounds import form, wav

from flexid.base.clock import random_token

PASSWORD = "only-for-this-town"
PROVISIONING = """[net]
mtu=1300
firewall_policy=2

[sip]
media_encryption=srtp
default_proxy=0
"""
SPACES: tuple[dict[str, Any], ...] = (
    {
        "name": "Example Telecom",
        "domain": "sip.example.org",
        "theme_hue": 22,
        "max_accounts": 15_000,
        "copyright_text": "© Example Telecom",
        "intro_registration_text": "Calls for **everybody** in town. [Questions?](/documentation)",
        "custom_provisioning_entries": PROVISIONING,
    },
    {"name": "Workshop Grenoble", "domain": "grenoble.example.org", "theme_hue": 205, "max_accounts": 40},
    {
        "name": "Mairie Saint-Martin",
        "domain": "saint-martin.example.org",
        "theme_hue": 145,
        "max_accounts": 8,
        "expire_at": "2036-06-30",
    },
)
PEOPLE: tuple[dict[str, Any], ...] = (
    {
        "username": "alice.martin",
        "display_name": "Alice Martin",
        "email": "alice.martin@example.org",
        "phone": "+33536491703",
        "dictionary": {"department": "Sales", "ringtone": "brook.wav", "desk": "2nd floor, window"},
    },
    {"username": "amadou.diallo", "display_name": "Amadou Diallo", "email": "amadou@diallo.example"},
    {
        "username": "ariane-lefebvre-rousseau",
        "display_name": "Ariane Lefebvre-Rousseau",
        "email": "ariane.lefebvre-rousseau@mairie-saint-martin.example",
        "phone": "+33465715190",
    },
    {
        "username": "b.oconnor",
        "display_name": "Brigid O’Connor",  # noqa: RUF001  # as she writes it
        "email": "brigid@oconnor.example",
        "phone": "+442079460184",
        "activated": False,
    },
    {
        "username": "camille.roux",
        "display_name": "Camille Roux",
        "email": "camille.roux@example.org",
        "phone": "+33261914410",
        "admin": True,
    },
    {"username": "door-north", "display_name": "Entrance, north gate"},
    {"username": "fax2", "blocked": True},
    {
        "username": "karim.benali",
        "display_name": "Karim Benali",
        "email": "k.benali@example.org",
        "phone": "+33536490124",
    },
    {"username": "lea.fontaine", "display_name": "Léa Fontaine", "email": "lea@fontaine.example", "activated": False},
    {"username": "reception", "display_name": "Reception", "email": "reception@example.org", "phone": "+33465715000"},
)
MORE = """
Anouk Besson, Bastien Carlier, Chloé Dumas, Dario Esposito, Élise Faure, Farid Guessoum, Greta Hansen, Hugo Imbert,
Inès Jacquet, Jonas Keller, Klara Lindqvist, Lucas Moreau, Maëlle Nicolas, Noah Olivier, Océane Perrin, Paul Quentin,
Rosa Santos, Samuel Tessier, Thanh Nguyen, Ulysse Vidal, Valérie Weber, Yann Le Goff, Zoé Arnaud
"""
DEVICES = {
    "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8": "LinphoneAndroid%2F6.0.4%20(Pixel%209)%20LinphoneSDK%2F5.4",
    "urn:uuid:6ba7b811-9dad-11d1-80b4-00c04fd430c8": "Linphone-Desktop%2F6.0.1%20(alice-thinkpad)%20Qt%2F6.8",
}
"""What Alice Martin has, as devices call themselves when they register."""
PLAIN = str.maketrans("éèëêïîôçà", "eeeeiioca")


@define
class Town:
    """The running product, and who lives there."""

    flexid: Flexid
    root: str
    """The host of the operator's own Space; the others lie below."""
    password: str
    """The first administrator's, as it was printed."""
    boss: Caller = field(repr=False)
    """With the first administrator's API key."""
    accounts: dict[str, dict[str, Any]] = field(factory=dict)
    _read: set[Path] = field(factory=set)
    """Mails and SMS whose codes were used."""
    voicemail: str = ""
    """What Karim Benali has left for Alice Martin."""
    webhook: int = 0
    """Where Example Telecom's own server hears of accounts."""

    @property
    def site(self) -> str:
        """Where the operator's own Space is."""
        return f"http://{self.root}:{self.flexid.port}"

    @property
    def telecom(self) -> str:
        """Where Example Telecom is."""
        return f"http://{self.host('sip.example.org')}:{self.flexid.port}"

    def host(self, domain: str) -> str:
        """Return the host of a Space."""
        return f"{domain.partition('.')[0]}.{self.root}"

    def has_account(self, username: str, domain: str = "sip.example.org", **fields: Any) -> dict[str, Any]:
        """Return a new account, which has everybody's password."""
        blocked = fields.pop("blocked", False)
        wanted = {"username": username, "domain": domain, "password": PASSWORD, "activated": True, **fields}
        answer = self.boss.post("/api/accounts", wanted)
        assert answer.status == 200, answer.text
        account: dict[str, Any] = answer.json
        if blocked:
            assert self.boss.post(f"/api/accounts/{account['id']}/block", None).status == 200
        self.accounts[username] = account
        return account

    def wizard(self, account_id: int) -> str:
        """Return the token of a link that sets an account up."""
        answer = self.boss.post("/api/wizard", {"provisioning_account_id": account_id})
        assert answer.status == 201, answer.text
        token: str = answer.json["token"]
        return token

    def password_reset(self, username: str) -> str:
        """Return the token of a link that was mailed to somebody."""
        folder = self.flexid.mail_folder
        before = len(mails(folder))
        answer = self.boss.post(f"/api/accounts/{self.accounts[username]['id']}/send_reset_password_email", None)
        assert answer.status == 200, answer.text
        wait_until(lambda: len(mails(folder)) > before, lambda: "the mail has not come")
        (link,) = mails(folder)[-1].links
        return link.rpartition("/")[2]

    def code(self, address: str) -> str:
        """Wait for the code that is on its way to an address, and return it; it is not found a second time."""
        found: list[str] = []

        def has_come() -> bool:
            for path in sorted((*self.flexid.mail_folder.glob("*.eml"), *self.flexid.sms_folder.glob("*.txt"))):
                content = path.read_text()
                if path not in self._read and address in (path.name if path.suffix == ".txt" else content):
                    self._read.add(path)
                    found.extend(re.findall(r"^ {4}(\d{4})$|code is (\d{4})", content, re.MULTILINE)[:1])
            return bool(found)

        wait_until(has_come, lambda: f"no code has come to {address}")
        return "".join(found[0])

    def recovery_token(self) -> str:
        """Return a token as an application gets it by push."""
        token = random_token(13)
        connection = psycopg2.connect(self.flexid.dsn())
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO account_recovery_tokens (domain, token, pn_provider) VALUES (%s, %s, 'fcm')",
                ("sip.example.org", token),
            )
        connection.close()
        return token

    def has_voicemail(self, username: str, caller: str) -> str:
        """Let somebody leave a voicemail, wait until its mail has come, and return its id."""
        before = len(mails(self.flexid.mail_folder))
        path = f"/api/accounts/{self.accounts[username]['id']}/voicemails"
        slot = self.boss.post(path, {"content_type": "audio/wav", "sip_from": caller}).json
        body, content_type = form(wav(5))
        answer = self.boss.ask("POST", f"/api/files/{slot['id']}", body, Content_Type=content_type)
        assert answer.status == 200, answer.text
        wait_until(lambda: len(mails(self.flexid.mail_folder)) > before, lambda: "the mail has not come")
        voicemail_id: str = slot["id"]
        return voicemail_id

    def forwards(self, username: str, **forwarding: object) -> None:
        """Let calls to an account go elsewhere."""
        path = f"/api/accounts/{self.accounts[username]['id']}/call_forwardings"
        answer = self.boss.post(path, {"enabled": True, **forwarding})
        assert answer.status == 201, answer.text

    def has_webhook(self) -> int:
        """Let a server that nobody finds hear of Example Telecom's accounts; return the id of the webhook."""
        wanted = {"url": "https://hooks.example.invalid/flexid", "events": ["account.created", "account.deleted"]}
        answer = self.boss.at(self.host("sip.example.org")).post("/api/webhooks", wanted)
        assert answer.status == 201, answer.text
        webhook: int = answer.json["id"]
        return webhook

    def creation_request(self) -> str:
        """Return the token with which an application asks for an account of Example Telecom."""
        answer = self.boss.at(self.host("sip.example.org")).post("/api/account_creation_request_tokens", None)
        assert answer.status == 201, answer.text
        token: str = answer.json["token"]
        return token


def settle(flexid: Flexid, root: str = "localhost") -> Town:
    """Let everybody move in."""
    printed = flexid.log_tail()
    password, key = (_printed(printed, what) for what in ("password", "API key"))
    town = Town(flexid, root, password, flexid.caller(root).with_key(key))
    _rename(town, root, {"name": "Example Group", "theme_hue": 262})
    for space in SPACES:
        answer = town.boss.post("/api/spaces", {**space, "host": town.host(space["domain"])})
        assert answer.status == 201, answer.text
    for country in ("FR", "GB"):
        assert town.boss.post(f"/api/phone_countries/{country}/activate", None).status == 200
    for person in PEOPLE:
        town.has_account(**person)
    alice, karim = (town.accounts[name] for name in ("alice.martin", "karim.benali"))
    assert town.boss.post(f"/api/accounts/{alice['id']}/contacts/{karim['id']}", None).status == 200
    town.forwards("alice.martin", type="no_answer", forward_to="voicemail")
    town.forwards("alice.martin", type="busy", forward_to="contact", contact_id=karim["id"])
    town.voicemail = town.has_voicemail("alice.martin", "sip:karim.benali@sip.example.org")
    for name in MORE.replace("\n", " ").strip().split(", "):
        username = name.lower().translate(PLAIN).replace(" ", ".", 1).replace(" ", "")
        town.has_account(username, display_name=name, email=f"{username}@example.org")
    town.webhook = town.has_webhook()
    for number in range(5):
        town.has_account(f"desk{number}", "saint-martin.example.org")
    return town


def _printed(text: str, what: str) -> str:
    found = re.search(rf"^ *{what}: *(\S+)$", text, re.MULTILINE)
    assert found, text
    return found[1]


def _rename(town: Town, domain: str, changes: Mapping[str, Any]) -> None:
    before = town.boss.get(f"/api/spaces/{domain}").json
    answer = town.boss.put(f"/api/spaces/{domain}", {**before, **changes})
    assert answer.status == 200, answer.text
