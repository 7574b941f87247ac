-- Duplicates by likeness: sketches, clusters, and followers that wait for their leader.

alter table article_head add column cluster_id uuid;
update article_head set cluster_id = id;
alter table article_head alter column cluster_id set not null;
create index article_head_cluster on article_head (cluster_id);

-- One row a document that others may be found to be like: what the likeness index is loaded from, and where each went.
create table sketch (
    -- The id that the document's article has if it is new.
    document_id uuid primary key,
    -- Its place in the order of arrival as Redis counted; a hint, which a Redis that forgot may give twice. Null for a
    -- document that likeness was not asked about.
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
    complete_at timestamptz not null default now()
);

create or replace view article as
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
   and (r.embargo_until is null or r.embargo_until <= now());
