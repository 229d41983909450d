-- While `always` is on, neither of the others may be, whatever is asked for at the same moment. Each account has two
-- numbers here: `no_answer` takes one, `busy` the other, `always` both, and what is on may not overlap. Ranges and GiST
-- are in PostgreSQL's core; the extension that would compare account and type more plainly is not.
ALTER TABLE call_forwardings ADD CONSTRAINT call_forwardings_exclusive EXCLUDE USING gist (
    int8range(
        2 * account_id + CASE type WHEN 'busy' THEN 1 ELSE 0 END,
        2 * account_id + CASE type WHEN 'no_answer' THEN 0 ELSE 1 END,
        '[]'
    ) WITH &&
) WHERE (enabled);
