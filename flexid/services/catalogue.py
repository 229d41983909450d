"""All use cases, built once and handed to whoever calls them."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen

from flexid.base.clock import Clock
from flexid.base.languages import Languages
from flexid.base.public import PublicAddress
from flexid.base.settings import Settings
from flexid.base.templates import Templates
from flexid.outbound.oidc_server import HttpOidcServer
from flexid.outbound.outside import Outside
from flexid.outbound.webhooks import Courier
from flexid.services.account_actions import AccountActions
from flexid.services.account_count import AccountCount
from flexid.services.account_exports import AccountExports
from flexid.services.account_filters import AccountFilters
from flexid.services.account_hooks import AccountHooks
from flexid.services.account_imports import AccountImports
from flexid.services.account_mails import AccountMails
from flexid.services.account_rules import AccountRules
from flexid.services.account_search import AccountSearch
from flexid.services.account_types import AccountTypes
from flexid.services.accounts import Accounts
from flexid.services.address_changes import AddressChanges
from flexid.services.administrators import Administrators
from flexid.services.api_keys import ApiKeys
from flexid.services.audit import Audit
from flexid.services.auth_tokens import AuthTokens
from flexid.services.bearer import Bearer
from flexid.services.blocking import Blocking
from flexid.services.call_forwardings import CallForwardings
from flexid.services.captcha import PersonCheck
from flexid.services.carddav_credentials import CardDavAccess
from flexid.services.clearance import Clearance
from flexid.services.client_certificates import ClientCertificates
from flexid.services.conditions import Conditions
from flexid.services.contacts import Contacts
from flexid.services.contacts_lists import ContactsLists
from flexid.services.creation_requests import CreationRequests
from flexid.services.deliveries import Deliveries
from flexid.services.devices import Devices
from flexid.services.dictionaries import Dictionaries
from flexid.services.digest import Digest
from flexid.services.document_hooks import DocumentHooks
from flexid.services.expirations import Expirations
from flexid.services.external_accounts import ExternalAccounts
from flexid.services.files import Files
from flexid.services.housekeeping import Housekeeping
from flexid.services.idempotency import Idempotency
from flexid.services.integrations import Integrations
from flexid.services.letters import LetterWriter
from flexid.services.limits import Limits
from flexid.services.logos import Logos
from flexid.services.mail_trials import MailTrials
from flexid.services.messages import Messages
from flexid.services.notices import Notices
from flexid.services.oidc_accounts import OidcAccounts
from flexid.services.oidc_exchange import OidcExchange
from flexid.services.oidc_keys import OidcKeys
from flexid.services.oidc_providers import OidcProviders
from flexid.services.oidc_sign_in import OidcSignIn
from flexid.services.oidc_upkeep import OidcUpkeep
from flexid.services.outbox_keeping import OutboxKeeping
from flexid.services.own_account import OwnAccount
from flexid.services.password_resets import PasswordResets
from flexid.services.phone_countries import PhoneCountries
from flexid.services.processes import Processes
from flexid.services.provisioning import Provisioning
from flexid.services.push_tokens import PushTokens
from flexid.services.queue_lengths import QueueLengths
from flexid.services.recovery import Recovery
from flexid.services.registration import Registration
from flexid.services.schema import Schema
from flexid.services.seeding import Seeding
from flexid.services.sessions import Sessions
from flexid.services.sign_in import SignIn
from flexid.services.sign_up import SignUp
from flexid.services.space_directory import SpaceDirectory
from flexid.services.space_pages import SpacePages
from flexid.services.spaces import Spaces
from flexid.services.statistics import Statistics
from flexid.services.token_signatures import TokenSignatures
from flexid.services.turn import Turn
from flexid.services.uploads import Uploads
from flexid.services.upstream import Upstream
from flexid.services.vcards import VCards
from flexid.services.voicemails import Voicemails
from flexid.services.webhook_deliveries import WebhookDeliveries
from flexid.services.webhooks import Webhooks
from flexid.services.wizards import Wizards
from flexid.store.account_landmarks import LandmarkKeeper
from flexid.store.database import Database
from flexid.store.file_folder import FileFolder


@frozen
class Services:
    """The use cases by name."""

    clock: Clock
    database: Database
    directory: SpaceDirectory
    api_keys: ApiKeys
    client_certificates: ClientCertificates
    bearer: Bearer
    oidc_sign_in: OidcSignIn
    oidc_upkeep: OidcUpkeep
    digest: Digest
    sessions: Sessions
    sign_in: SignIn
    spaces: Spaces
    space_pages: SpacePages
    logos: Logos
    accounts: Accounts
    account_search: AccountSearch
    account_filters: AccountFilters
    account_count: AccountCount
    account_imports: AccountImports
    account_exports: AccountExports
    idempotency: Idempotency
    dictionaries: Dictionaries
    external_accounts: ExternalAccounts
    carddav_credentials: CardDavAccess
    integrations: Integrations
    account_types: AccountTypes
    account_actions: AccountActions
    contacts: Contacts
    contacts_lists: ContactsLists
    call_forwardings: CallForwardings
    vcards: VCards
    devices: Devices
    voicemails: Voicemails
    uploads: Uploads
    files: Files
    own_account: OwnAccount
    address_changes: AddressChanges
    account_mails: AccountMails
    password_resets: PasswordResets
    person_check: PersonCheck
    sign_up: SignUp
    recovery: Recovery
    registration: Registration
    creation_requests: CreationRequests
    push_tokens: PushTokens
    auth_tokens: AuthTokens
    provisioning: Provisioning
    phone_countries: PhoneCountries
    statistics: Statistics
    messages: Messages
    turn: Turn
    wizards: Wizards
    webhooks: Webhooks
    webhook_deliveries: WebhookDeliveries
    outbox_keeping: OutboxKeeping
    schema: Schema
    administrators: Administrators
    seeding: Seeding
    upstream: Upstream
    housekeeping: Housekeeping
    templates: Templates
    deliveries: Deliveries
    expirations: Expirations
    mail_trials: MailTrials
    notices: Notices
    audit: Audit
    queue_lengths: QueueLengths
    conditions: Conditions
    processes: Processes
    account_hooks: AccountHooks

    def forget_templates(self) -> None:
        """Let templates be read anew, and with them the pages that are kept."""
        self.templates.forget()
        self.directory.forget()

    def watch(self) -> None:
        """Let what is kept in memory hear of changes."""
        self.directory.watch()
        self.api_keys.watch()
        self.messages.watch()
        self.oidc_upkeep.watch()


def build(settings: Settings, database: Database, clock: Clock, outside: Outside) -> Services:
    """Put the use cases together."""
    lifetimes = settings.lifetimes
    directory = SpaceDirectory(database)
    api_keys = ApiKeys(database, clock, lifetimes.user_api_key)
    limits = Limits(clock, settings.throttling.factor)
    sessions = Sessions(database, lifetimes.session)
    rules = AccountRules(settings.accounts)
    account_search = AccountSearch(database, LandmarkKeeper(database, clock))
    public = PublicAddress.read(settings)
    templates = Templates(Languages(), settings.templates_dir, development=settings.development)
    writer = LetterWriter(templates, public, settings.mail.from_address)
    blocking = Blocking(settings.blocking)
    signatures = TokenSignatures(OidcKeys(outside.oidc_keys, clock))
    oidc_server = HttpOidcServer(outside.web)
    oidc_providers = OidcProviders(oidc_server, clock)
    document_hooks = DocumentHooks(outside.document_hooks)
    spaces = Spaces(database, directory, clock, settings.root_host)
    folder = FileFolder(settings.uploads_dir)
    messages = Messages(database, directory, settings.daemon)
    files = Files(database, folder, clock, lifetimes.file)
    clearance = Clearance(database, clock, settings.housekeeping)
    courier = Courier(outside.web, clock, settings.outbound.allow_http)
    return Services(
        clock=clock,
        database=database,
        directory=directory,
        api_keys=api_keys,
        client_certificates=ClientCertificates(database),
        bearer=Bearer(database, clock, signatures),
        oidc_sign_in=OidcSignIn(
            database,
            OidcExchange(clock, oidc_server, oidc_providers, signatures),
            OidcAccounts(database, rules),
            sessions,
            limits,
        ),
        oidc_upkeep=OidcUpkeep(database, spaces, oidc_providers, signatures.keys),
        digest=Digest(database, clock, directory, limits, lifetimes.nonce),
        sessions=sessions,
        sign_in=SignIn(database, directory, limits, sessions),
        spaces=spaces,
        space_pages=SpacePages(database, spaces, clock),
        logos=Logos(database),
        account_count=AccountCount(database, clock, settings.portal.show_account_count),
        account_imports=AccountImports(database, settings.accounts),
        account_exports=AccountExports(database),
        idempotency=Idempotency(database),
        accounts=Accounts(database, directory, rules, api_keys),
        account_search=account_search,
        account_filters=AccountFilters(account_search, spaces, clock),
        dictionaries=Dictionaries(database),
        external_accounts=ExternalAccounts(database),
        carddav_credentials=CardDavAccess(database),
        integrations=Integrations(database, directory, spaces),
        account_types=AccountTypes(database),
        account_actions=AccountActions(database),
        contacts=Contacts(database),
        contacts_lists=ContactsLists(database),
        call_forwardings=CallForwardings(database),
        vcards=VCards(database),
        devices=Devices(database, outside.registrar),
        voicemails=Voicemails(database),
        uploads=Uploads(database, folder, public, settings.limits.max_upload_size, settings.mail.language),
        files=files,
        own_account=OwnAccount(database, directory, rules, api_keys, limits),
        address_changes=AddressChanges(database, rules, api_keys, blocking, limits, lifetimes),
        account_mails=AccountMails(database, clock, public, lifetimes.provisioning_token),
        password_resets=PasswordResets(database, public, lifetimes, settings.accounts.password_min_length),
        person_check=PersonCheck(outside.captcha),
        sign_up=SignUp(database, rules, blocking, limits, sessions, lifetimes),
        recovery=Recovery(database, rules, api_keys, blocking, limits, lifetimes),
        registration=Registration(database, rules, lifetimes.creation_token),
        creation_requests=CreationRequests(database),
        push_tokens=PushTokens(database, outside.pusher, lifetimes.push_retry),
        auth_tokens=AuthTokens(database, api_keys, sessions, lifetimes.auth_token),
        provisioning=Provisioning(
            database, directory, document_hooks, lifetimes.provisioning_token, lifetimes.auth_token
        ),
        phone_countries=PhoneCountries(database),
        statistics=Statistics(database),
        messages=messages,
        turn=Turn(clock, settings.turn),
        wizards=Wizards(database, lifetimes.provisioning_token),
        webhooks=Webhooks(database, clock, courier, limits),
        outbox_keeping=OutboxKeeping(database),
        webhook_deliveries=WebhookDeliveries(database, clock, courier, settings.mail.language),
        schema=Schema(database),
        administrators=Administrators(database, rules),
        seeding=Seeding(database),
        upstream=Upstream(database, lifetimes, settings.root_host, folder),
        housekeeping=Housekeeping(database, clock, lifetimes, api_keys, files, clearance),
        templates=templates,
        expirations=Expirations(database, clock, public, settings.mail.language),
        mail_trials=MailTrials(database, clock, spaces, writer, outside),
        deliveries=Deliveries(
            database,
            clock,
            directory,
            writer,
            outside,
            settings.mail.connections,
            timedelta(seconds=settings.mail.timeout),
        ),
        account_hooks=AccountHooks(database, clock, outside.account_hooks),
        notices=Notices(database, clock, outside.registrar),
        audit=Audit(database),
        queue_lengths=QueueLengths(database),
        conditions=Conditions(database, clock, settings, messages, outside),
        processes=Processes(database),
    )
