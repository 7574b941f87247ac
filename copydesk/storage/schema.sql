-- The schema of a new database. Numbered files in migrations/ bring an old one to it; a test demands no difference.
-- All times are Postgres's own clock unless named received_at (the door's).

create table schema_migration (
    version    integer primary key,
    name       text not null,
    applied_at timestamptz not null default now()
);

-- One row a job. Whichever transaction makes done = total closes it.
create table ingest (
    id              text primary key,
    source          text not null,
    kind            text not null,
    origin          text,
    received_at     timestamptz not null,
    total           integer,
    done            integer not null default 0,
    -- Of a feed: the items that are as they were, which have no receipt. Counted in done; emptied when the job closes.
    unchanged       text[] not null default '{}',
    unchanged_count integer not null default 0,
    opened_at       timestamptz not null default now(),
    closed_at       timestamptz
);
create index ingest_open on ingest (received_at) where closed_at is null;
create index ingest_closed on ingest (received_at) where closed_at is not null and kind <> 'celery';

-- Inputs as they came, zlib-compressed. One row however often the same bytes come.
create table raw (
    sha256    text primary key,
    data      bytea not null,
    -- When it last came, to the day.
    stored_at timestamptz not null default now(),
    -- Whose days it is kept for; '' where it came from several, and is kept for the longest.
    source    text not null default ''
);
create index raw_kept on raw (source, stored_at);
-- Compressed already: trying again costs CPU and gains nothing.
alter table raw alter column data set storage external;

-- One row an article; its texts are in revision.
create table article_head (
    id               uuid primary key,
    source           text not null,
    current_revision integer not null,
    stored_at        timestamptz not null default now(),
    -- Moves only when the content does, never by a re-cleaning.
    -- Of an embargoed text: the end of the embargo, since that is when a reader first sees it.
    changed_at       timestamptz not null default now(),
    -- Of its latest change among all changes; a reader's cursor. Null until the change has been numbered.
    position         bigint,
    -- By its sender's word; a withdrawn article is not in the view `article`.
    withdrawn_at     timestamptz,
    withdrawn_reason text,
    -- The story that it is a version of: the id of the first article of the story.
    cluster_id       uuid not null,
    -- Kept for its days and no longer: its texts are gone, and it is not in the view `article` until it changes.
    expired_at       timestamptz
);
create index article_head_kept on article_head (source, changed_at) where expired_at is null;
create index article_head_source on article_head (source, id);
create index article_head_position on article_head (position);
create index article_head_cluster on article_head (cluster_id);

create table revision (
    article_id     uuid not null references article_head,
    number         integer not null,
    format         text not null,
    url            text,
    guid           text,
    name           text,
    language       text,
    title          text,
    section        text,
    -- As the text gives it: ISO 8601 with an offset, without one where the zone is unknown, or a bare date.
    published_text text,
    published_at   timestamptz,
    zone_unknown   boolean not null,
    updated_text   text,
    publisher      text,
    authors        text[] not null,
    credits        jsonb not null,
    dateline       text,
    rights         text[] not null,
    captions       text[] not null,
    corrections    text[] not null,
    body           text[] not null,
    -- Every non-empty line of the input in reading order: place, class, rule, text.
    pieces         jsonb not null,
    encoding       text,
    warnings       text[] not null,
    rules_version  text not null,
    item_sha256    text not null,
    content_sha256 text not null,
    raw_sha256     text not null,
    -- The sender's own JSON, untouched; json and not jsonb, which would reorder it and refuse \u0000.
    meta           json,
    received_at    timestamptz not null,
    stored_at      timestamptz not null default now(),
    -- The sender's own number of this version.
    version        text,
    -- Not in the view `article` before.
    embargo_until  timestamptz,
    -- What else the sender states, by name (docs/formats.md).
    details        jsonb not null default '{}',
    -- What its sender said of it beside name and address, to clean the input again by; null where that is nothing.
    hints          json,
    primary key (article_id, number)
);
create index revision_name on revision (name);
create index revision_url on revision (url);
-- Revisions that superseded one.
create index revision_later on revision (stored_at, article_id, number) where number > 1;
-- Whether an input may be dropped. By hash: a tree would hold all 64 letters of each.
create index revision_raw on revision using hash (raw_sha256);

-- Articles that an operator has deleted. Their texts are gone; what comes of them again is met by the keys that they
-- still hold, or is like them, and is suppressed.
create table deletion (
    article_id uuid primary key references article_head,
    reason     text not null,
    deleted_by text not null,
    deleted_at timestamptz not null default now(),
    -- From then on what comes again is stored, as an article of its own.
    lifted_at  timestamptz,
    lifted_by  text
);

-- The names under which an article can be met again. The unique key settles races between writers.
create table identity_key (
    kind        text not null,
    value       text not null,
    article_id  uuid not null,
    -- False where the key was met on a duplicate: a change under it is no revision of the article.
    owned       boolean not null,
    item_sha256 text not null,
    primary key (kind, value)
);

-- What senders have said is not to be shown, also of items that have not come yet.
create table withdrawal (
    kind        text not null,
    value       text not null,
    -- True: no later version ends it.
    is_final    boolean not null,
    version     text,
    reason      text not null,
    received_at timestamptz not null,
    primary key (kind, value)
);

-- How each item of each job ended. Redelivered entries find their receipt here and do nothing.
create table receipt (
    ingest_id   text not null,
    item_id     text not null,
    -- The job's item that it came out of: a file, a feed.
    parent_id   text not null,
    source      text not null,
    outcome     text not null check (outcome in
        ('stored', 'revised', 'unchanged', 'duplicate', 'withdrawn', 'suppressed', 'rejected', 'dead')),
    article_id  uuid,
    revision    integer,
    code        text not null default '',
    reason      text not null,
    scores      jsonb not null default '{}',
    recorded_at timestamptz not null default now(),
    primary key (ingest_id, item_id)
);
-- For "where is my document?", which may know any of these.
create index receipt_item on receipt (item_id);
create index receipt_parent on receipt (parent_id) where parent_id <> item_id;
create index receipt_article on receipt (article_id, revision);
-- For counts by the hour: receipts lie in the order of their time, so a summary of each stretch is enough.
create index receipt_recorded on receipt using brin (recorded_at) with (pages_per_range = 32, autosummarize = on);

-- Where else an article was seen. No foreign key: a follower may arrive before its leader.
create table sighting (
    ingest_id  text not null,
    item_id    text not null,
    article_id uuid not null,
    source     text not null,
    url        text,
    name       text,
    relation   text not null,
    scores     jsonb not null default '{}',
    raw_sha256 text not null,
    seen_at    timestamptz not null,
    primary key (ingest_id, item_id)
);
create index sighting_article on sighting (article_id, seen_at);
create index sighting_name on sighting (name);
create index sighting_url on sighting (url);

-- One row a document that others may be found to be like: what the likeness index is loaded from, and where each went.
create table sketch (
    -- The id that the document's article has if it is new.
    document_id uuid primary key,
    -- Its place in the order of arrival as Redis counted; a hint, which a Redis that forgot may give twice. Null where
    -- Redis was full, or for a leader that is only known from its followers so far.
    number      bigint,
    source      text,
    received_at timestamptz,
    -- Null where it came to no article. The id of another document while that one is not settled.
    article_id  uuid,
    -- False for a leader that is only known from its followers so far.
    is_settled  boolean not null,
    data        bytea
);
create index sketch_number on sketch (number);
create index sketch_article on sketch (article_id);
create index sketch_unjudged on sketch (document_id) where number is null and data is not null;

-- Followers that were settled before their leader, whole, in case it never comes to an article.
create table follower (
    leader_id uuid not null,
    ingest_id text not null,
    item_id   text not null,
    payload   bytea not null,
    data      bytea,
    since     timestamptz not null default now(),
    primary key (ingest_id, item_id)
);
create index follower_leader on follower (leader_id);

-- Each start of Redis that the likeness index was complete for.
create table likeness_run (
    run         text primary key,
    complete_at timestamptz not null default now(),
    -- From which the index counted on, so that the next one begins above what this one may have given.
    number      bigint not null default 0
);

-- What could not be carried to a row: rejected inputs with their bytes, and items our own code failed on.
create table dead_letter (
    id         bigint generated always as identity primary key,
    ingest_id  text not null,
    item_id    text not null,
    source     text not null,
    outcome    text not null check (outcome in ('rejected', 'dead')),
    stage      text not null,
    code       text not null,
    reason     text not null,
    trace      text,
    raw_sha256 text,
    -- The stream entry itself, for one that never became a row.
    payload    bytea,
    recorded_at timestamptz not null default now(),
    -- What the job said of the item, so that it can be handed over again as it was: kind, origin, parent, hints, meta.
    context    json,
    -- What became of it: null while nobody has dealt with it.
    resolution text check (resolution in ('asked', 'replayed', 'discarded', 'impossible')),
    -- Why it was discarded or cannot be replayed.
    note       text,
    -- The job that carries it again.
    replay_id  text,
    resolved_at timestamptz,
    unique (ingest_id, item_id)
);
create index dead_letter_open on dead_letter (id) where resolution is null;
create index dead_letter_asked on dead_letter (id) where resolution = 'asked';
-- Inputs that are still needed.
create index dead_letter_raw on dead_letter (raw_sha256) where resolution is null or resolution = 'asked';

-- Notes taken before an entry is tried alone, so that one that ends its process is known the next time.
create table attempt (
    subject  text primary key,
    tries    integer not null,
    tried_at timestamptz not null default now()
);

-- What consumers need to know, written with the change itself.
create table outbox (
    id         bigint generated always as identity primary key,
    event      text not null,
    article_id uuid not null,
    revision   integer,
    ingest_id  text not null,
    item_id    text not null,
    written_at timestamptz not null default now(),
    -- Given after the commit, by one at a time: ids are seen out of order, positions never.
    position   bigint,
    -- Not to be told before: the end of an embargo.
    due_at     timestamptz not null default now()
);
create unique index outbox_position on outbox (position);
create index outbox_unnumbered on outbox (id) where position is null;

-- How far each reader inside copydesk has followed the changes.
create table reader (
    name     text primary key,
    position bigint not null default 0,
    moved_at timestamptz not null default now()
);

-- Lines that sources print, counted over their stories; cleaning drops those that enough different stories showed.
create table learnt_line (
    source     text not null,
    -- Names the line whatever its case, width, white space and figures.
    key        text not null,
    text       text not null,
    stories    integer not null,
    -- In how many of them it stood among the first or last paragraphs.
    at_edge    integer not null,
    is_prose   boolean not null,
    -- By an operator: never dropped.
    is_undone  boolean not null default false,
    first_seen timestamptz not null default now(),
    last_seen  timestamptz not null default now(),
    primary key (source, key)
);
create index learnt_line_repeated on learnt_line (source) where stories > 1;

-- Profiles of sources that were imported, over those in files. An entry without TOML only switches learning.
create table source_profile (
    name           text primary key,
    toml           text,
    learns         boolean not null default true,
    -- Stories that must show a line; null is the shipped number.
    fewest_stories integer check (fewest_stories > 1),
    updated_at     timestamptz not null default now(),
    -- For how long what came of the source is kept; infinity is for ever, null as the settings say.
    raw_days       double precision,
    revision_days  double precision,
    article_days   double precision
);

-- Keys of the HTTP door. Of a key only a hash is kept; it is 256 random bits, so a fast one does.
create table api_key (
    id          text primary key,
    name        text not null,
    secret_hash text not null,
    scopes      text[] not null,
    -- Requests a minute and process; null is no limit.
    per_minute  integer check (per_minute > 0),
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz
);

-- Who is told of changes by HTTP. Events go out in order of their position, from the one behind `position`.
create table webhook (
    id           bigint generated always as identity primary key,
    url          text not null unique,
    -- The key of the signatures, in clear: it signs, so it cannot be kept as a hash.
    secret       text not null,
    events       text[] not null,
    source       text,
    enabled      boolean not null default true,
    position     bigint not null,
    due_at       timestamptz not null default now(),
    leased_until timestamptz,
    failures     integer not null default 0,
    last_error   text,
    delivered_at timestamptz,
    added_at     timestamptz not null default now()
);

-- One row a call.
create table webhook_log (
    id         bigint generated always as identity primary key,
    webhook_id bigint not null references webhook on delete cascade,
    called_at  timestamptz not null default now(),
    -- The first and last position of the call's events.
    first      bigint not null,
    last       bigint not null,
    events     integer not null,
    status     integer,
    error      text,
    seconds    double precision not null
);
create index webhook_log_webhook on webhook_log (webhook_id, id);

-- What articles are found by. Written after their commit: in the insert path it costs 7.6 times the row.
create table article_text (
    article_id    uuid primary key references article_head on delete cascade,
    revision      integer not null,
    -- The text search configuration that stemmed the words; a query must use the same.
    configuration text not null,
    words         tsvector not null
);
create index article_text_words on article_text using gin (words);
create index article_text_configuration on article_text (configuration);

-- Polled feeds. etag, last_modified and body_sha256 are those of the last body of which every item is committed.
create table feed (
    id             bigint generated always as identity primary key,
    url            text not null unique,
    source         text not null,
    title          text,
    enabled        boolean not null default true,
    etag           text,
    last_modified  text,
    body_sha256    text,
    -- Learnt; the next poll may wait longer, by what the feed and its server ask for.
    interval_s     double precision not null,
    due_at         timestamptz not null default now(),
    -- Whoever holds the lease names this moment; nobody else may end it.
    leased_until   timestamptz,
    failures       integer not null default 0,
    last_error     text,
    fetched_at     timestamptz,
    -- When it last brought something new.
    changed_at     timestamptz,
    silent_after_s double precision not null,
    silent_since   timestamptz,
    -- Where its address has moved for good, by what its server says.
    moved_to       text,
    added_at       timestamptz not null default now(),
    -- Of which items the linked page is fetched.
    full_text      text not null default 'never' check (full_text in ('never', 'short', 'always')),
    -- Bounds of its own; null where those of the settings hold.
    interval_min_s double precision,
    interval_max_s double precision,
    -- Since when, and in how many polls, moved_to has been the same.
    moved_since    timestamptz,
    moved_polls    integer not null default 0
);
create index feed_due on feed (due_at) where enabled;

-- A body on its way: what becomes of its feed once its job is closed.
create table feed_fetch (
    ingest_id     text primary key,
    feed_id       bigint not null references feed on delete cascade,
    fetched_at    timestamptz not null default now(),
    status        integer not null,
    etag          text,
    last_modified text,
    body_sha256   text not null,
    -- The least time to the next poll that the feed and its server ask for.
    wait_s        double precision not null,
    -- The bounds of its interval.
    min_s         double precision not null,
    max_s         double precision not null,
    moved_to      text,
    -- Linked pages that came with it.
    pages         integer not null default 0,
    -- Items were left for the next poll, which must have the whole body again.
    is_partial    boolean not null default false
);
create index feed_fetch_feed on feed_fetch (feed_id);

-- Items of feeds that are no articles: told once, since each poll brings them again.
create table feed_reject (
    source      text not null,
    -- The end of the item's id, which the same item has in every poll.
    item_key    text not null,
    rejected_at timestamptz not null default now(),
    primary key (source, item_key)
);

-- One row a poll, when its outcome is known.
create table feed_log (
    id         bigint generated always as identity primary key,
    feed_id    bigint not null references feed on delete cascade,
    fetched_at timestamptz not null,
    result     text not null check (result in ('taken_in', 'not_modified', 'same_body', 'failed')),
    status     integer,
    ingest_id  text,
    items      integer,
    fresh      integer,
    unchanged  integer,
    error      text,
    due_at     timestamptz not null,
    pages      integer,
    -- Of the fresh: texts that were known under another name.
    duplicates integer
);
create index feed_log_feed on feed_log (feed_id, id);
create index feed_log_fetched on feed_log (fetched_at);

-- The stable view for everyone who just wants to query: one row an article, its current revision; without articles that
-- are withdrawn, under embargo or no longer kept.
create view article as
select h.id,
       h.source,
       r.number        as revision,
       r.publisher,
       r.language,
       r.title,
       r.section,
       r.published_at,
       r.published_text,
       r.zone_unknown,
       r.updated_text,
       r.authors,
       r.credits,
       r.dateline,
       array_to_string(r.body, E'\n\n') as text,
       r.body,
       r.rights,
       r.captions,
       r.corrections,
       (select coalesce(jsonb_agg(p order by n), '[]')
          from jsonb_array_elements(r.pieces) with ordinality as e(p, n)
         where p->>'kind' not in ('title', 'body')) as removed,
       r.pieces,
       r.format,
       r.url,
       r.guid,
       r.name,
       r.encoding,
       r.warnings,
       r.meta,
       r.raw_sha256,
       r.rules_version,
       r.received_at,
       h.stored_at,
       h.changed_at,
       r.version,
       r.embargo_until,
       r.details,
       h.cluster_id
  from article_head h
  join revision r on r.article_id = h.id and r.number = h.current_revision
 where h.withdrawn_at is null
   and h.expired_at is null
   and (r.embargo_until is null or r.embargo_until <= now());
