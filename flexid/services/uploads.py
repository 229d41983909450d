"""Uploads into slots, and the mails that tell of them."""

from __future__ import annotations

from attrs import define, frozen
from twisted.internet.threads import deferToThread

from flexid.base.public import PublicAddress
from flexid.domain.account import Actor
from flexid.domain.errors import Invalid, NotFound, Unavailable
from flexid.domain.mail import Mail
from flexid.domain.voicemails import HEAD_LENGTH, OTHER_CONTENT, Voicemail, file_name, is_of, read_id
from flexid.services.accounts import domain_within_reach
from flexid.services.reach import found
from flexid.store import account_files, outbox
from flexid.store.account_files import Filled
from flexid.store.database import Database
from flexid.store.file_folder import Draft, FileFolder
from flexid.store.query import Runner


@define(eq=False)
class Upload:
    """A file on its way into a slot: whoever began it discards it in the end, whatever became of it."""

    uploads: Uploads
    actor: Actor
    slot: Voicemail
    _draft: Draft

    @property
    def size(self) -> int:
        """Return how many bytes have come."""
        return self._draft.size

    async def write(self, data: bytes) -> None:
        """Add to the file.

        :raise Unavailable: the disk does not take it.
        """
        try:
            await deferToThread(self._draft.write, data)
        except OSError as error:
            raise Unavailable from error

    async def discard(self) -> None:
        """Remove what did not fill its slot; what cannot be removed now, a timer removes."""
        try:
            await deferToThread(self._draft.discard)
        except OSError:
            return

    async def fill(self, given_name: str, language: str) -> Voicemail:
        """Fill the slot for good: of several uploads at once, one does. A mail tells the account's owner.

        :raise Invalid: the content is not of the slot's type.
        :raise NotFound: the slot is filled or gone by now.
        :raise Unavailable: disk or database did not take it.
        """
        name = file_name(given_name, self.slot.content_type)
        try:
            if not is_of(self.slot.content_type, await deferToThread(self._draft.head, HEAD_LENGTH)):
                raise Invalid.field("file", OTHER_CONTENT)
            await deferToThread(self._draft.seal)
            return await self.uploads.fill(self.actor, self.slot, self._draft, name, language)
        except OSError as error:
            raise Unavailable from error


@frozen
class Uploads:
    """The use cases."""

    database: Database
    folder: FileFolder
    public: PublicAddress
    max_size: int
    """Bytes of one file."""
    language: str
    """Of mails that no request has caused."""

    async def begin(self, actor: Actor, upload_id: str) -> Upload:
        """Begin to fill a slot; what comes lies apart until it is whole.

        :raise NotFound: there is none within the actor's reach, or it is filled.
        :raise Unavailable: the disk does not take it.
        """
        file_id = found(read_id(upload_id))
        slot = found(await account_files.find_open(self.database, domain_within_reach(actor), file_id))
        try:
            return Upload(self, actor, slot, await deferToThread(self.folder.draft))
        except OSError as error:
            raise Unavailable from error

    async def fill(self, actor: Actor, slot: Voicemail, draft: Draft, name: str, language: str) -> Voicemail:
        """Let a sealed draft fill a slot; see `Upload.fill`.

        :raise OSError: the disk did not take it.
        """
        async with self.database.transaction() as transaction:
            filled = await account_files.fill(transaction, domain_within_reach(actor), slot.id, name, draft.size)
            if filled is None:
                raise NotFound
            await self._tell(transaction, filled, language)
            # Before the commit: what the database shows is there. If that fails, the next upload replaces it.
            await deferToThread(self.folder.place, draft, slot.id)
        return filled.voicemail

    async def tell_of_untold(self) -> int:
        """Write mails for voicemails that no mail told of, such as those of another server; return how many."""
        async with self.database.transaction() as transaction:
            untold = await account_files.claim_untold(transaction)
            for filled in untold:
                await self._tell(transaction, filled, self.language)
        return len(untold)

    async def _tell(self, transaction: Runner, filled: Filled, language: str) -> None:
        if filled.email is None:
            return
        values = {
            "account": filled.address,
            "caller": filled.voicemail.sip_from,
            "link": f"{self.public.base_url(filled.host)}{filled.voicemail.path}",
        }
        mail = Mail("voicemail", filled.email, language, values)
        await outbox.put(transaction, mail.outgoing(filled.domain))
