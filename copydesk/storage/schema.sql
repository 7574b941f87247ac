-- The schema of a new database. Numbered files in migrations/ bring an old one to it; a test demands no difference.
-- All times are Postgres's own clock unless named received_at (the door's).

create table schema_migration (
    version    integer primary key,
    name       text not null,
    applied_at timestamptz not null default now()
);

-- One row a job. Whichever transaction makes done = total closes it.
create table ingest (
    id          text primary key,
    source      text not null,
    kind        text not null,
    origin      text,
    received_at timestamptz not null,
    total       integer,
    done        integer not null default 0,
    opened_at   timestamptz not null default now(),
    closed_at   timestamptz
);
create index ingest_open on ingest (received_at) where closed_at is null;

-- Inputs as they came, zlib-compressed. One row however often the same bytes come.
create table raw (
    sha256    text primary key,
    data      bytea not null,
    stored_at timestamptz not null default now()
);
-- Compressed already: trying again costs CPU and gains nothing.
alter table raw alter column data set storage external;

-- One row an article; its texts are in revision.
create table article_head (
    id               uuid primary key,
    source           text not null,
    current_revision integer not null,
    stored_at        timestamptz not null default now(),
    -- Moves only when the content does, never by a re-cleaning.
    changed_at       timestamptz not null default now()
);
create index article_head_changed on article_head (changed_at, id);

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
    primary key (article_id, number)
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
create index receipt_item on receipt (source, item_id);

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
    unique (ingest_id, item_id)
);

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
    written_at timestamptz not null default now()
);

-- The stable view for everyone who just wants to query: one row an article, its current revision.
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
       h.changed_at
  from article_head h
  join revision r on r.article_id = h.id and r.number = h.current_revision;
