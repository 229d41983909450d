-- Timers look for files that are old, and for slots that nobody filled.
CREATE INDEX account_files_by_age ON account_files (created_at);
CREATE INDEX account_files_open ON account_files (created_at) WHERE uploaded_at IS NULL;
COMMENT ON COLUMN account_files.account_id IS
    'null once the account or the file is deleted: a timer then removes the file on disk, and the row after it';
COMMENT ON COLUMN account_files.mail_sent_at IS 'when its mail was put into the outbox';
