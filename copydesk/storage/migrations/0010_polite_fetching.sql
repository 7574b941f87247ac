-- Full text of feeds' items, bounds of one feed's interval, addresses that have moved for good, an end for the log.

alter table feed add column full_text text not null default 'never' check (full_text in ('never', 'short', 'always'));
alter table feed add column interval_min_s double precision;
alter table feed add column interval_max_s double precision;
alter table feed add column moved_since timestamptz;
alter table feed add column moved_polls integer not null default 0;

alter table feed_fetch add column pages integer not null default 0;
alter table feed_fetch add column is_partial boolean not null default false;

alter table feed_log add column pages integer;
alter table feed_log add column duplicates integer;
create index feed_log_fetched on feed_log (fetched_at);
